"""Known limits of a release, as its numbers tell them: what a stranger should know before training on it."""

from collections.abc import Iterator, Mapping, Sequence

from lgt_assets.release.card_making import JUDGED
from lgt_assets.release.card_wording import code, count, percent, text
from lgt_assets.release.card_yaml import by_config
from lgt_assets.release.models_used import is_embedded
from lgt_assets.release.writing import Written

SMALL = 1000  # train rows
EVEN_POSITIONS = 0.05  # difference from an even share that is told
FEW_PROMPTS = 50
LENGTH_TELLS = 0.65  # of a kind's pairs, from which on the length alone tells chosen from rejected
_PEOPLE_OR_RENDERER = {"human": "people", "rendered": "the program that drew the pictures"}


def limits(facts: Mapping, written: Sequence[Written]) -> list[str]:
    """Sentences in markdown, the gravest first."""
    return [*_writers(facts), *_captions(facts), *_unseen(facts), *_rows(facts, written)]


def warning(facts: Mapping) -> str:
    """What must be read first, or nothing: the release was made by the model that is there for tests."""
    if not any(is_embedded(row["model"]) for row in facts["models"]):
        return ""
    return (
        "> **Made by the small model that comes with lgt_assets** (2.7 million weights), which knows nothing but rendered scenes "
        "of coloured shapes. This release shows the format and tests pipelines; it teaches a large model nothing."
    )


def _writers(facts: Mapping) -> Iterator[str]:
    votes = {(row["section"], row["name"]): row["value"] for row in facts["thresholds"]}
    checked = votes.get(("questions", "key_votes"), 0)
    asked = (
        f"{checked} vote{'s' if checked != 1 else ''} of a verifier model from caption and boxes"
        if checked
        else "nobody"
    )
    yield (
        f"Models wrote questions, keys and thoughts. Keys of seed questions were checked by {asked}; a thought that ends right "
        "may still have gone wrong on its way."
    )
    models = sorted({row["model"] for row in facts["models"] if row["role"] == "vlm"})
    if models:
        named = ", ".join(text(name) for name in models)
        yield f"Pass rates and difficulties are those of the model {named}, not of the model that you train."
    if votes.get(("distill", "language")) == "english":
        yield "Thoughts are in English; others were rejected."
    yield "Behaviours are counted by cues in the words, which show the form of a thought and not what it is worth."


def _captions(facts: Mapping) -> Iterator[str]:
    captions: dict[str, int] = {}
    for row in facts["pictures"]["captions"]:
        kind = _PEOPLE_OR_RENDERER.get(row["caption_source"], "models")
        captions[kind] = captions.get(kind, 0) + row["pictures"]
    total = sum(captions.values())
    if total:
        shares = ", ".join(f"{name} {percent(number / total)}" for name, number in sorted(captions.items()))
        yield f"A key can be no better than its picture's caption and boxes. Captions were written by: {shares}."
    if captions.get(_PEOPLE_OR_RENDERER["rendered"], 0) == total and total:
        yield "All pictures are synthetic scenes of coloured shapes: nothing here looks like a photograph."


def _unseen(facts: Mapping) -> Iterator[str]:
    unseen = [name for name in JUDGED if name not in facts["audits"]]
    if unseen:
        yield (
            f"Of {len(JUDGED)} tables that people can judge, {len(unseen)} were not audited: "
            f"{', '.join(code(name) for name in unseen)}."
        )
    if not facts["decontaminated_against"]:
        yield "No overlap with benchmarks was looked for: do not report scores on them without doing so."


def _rows(facts: Mapping, written: Sequence[Written]) -> Iterator[str]:
    small, unvalidated = [], []
    for name, splits in by_config(written).items():
        sizes = {one.split: one.rows for one in splits}
        small += [f"{code(name)} ({count(sizes.get('train', 0))})"] if sizes.get("train", 0) < SMALL else []
        unvalidated += [] if sizes.get("validation") else [code(name)]
    if small:
        yield f"Few train rows: {', '.join(small)}."
    if unvalidated:
        yield f"No validation rows: {', '.join(unvalidated)}."
    found = facts["statistics"]
    prompts = sum(row["prompts"] for row in found["difficulties"])
    flat = sum(row["prompts"] for row in found["difficulties"] if row["difficulty"] in ("solved", "unsolved"))
    if flat:
        yield (
            f"{percent(flat / prompts)} of the RL prompts were always or never answered right by the VLM, more surely than by "
            "chance (`difficulty` is `solved` or `unsolved`): a model like it gets no gradient from them under GRPO."
        )
    telling = [
        f"{code(row['kind'])} ({percent(row['chosen_longer'])})"
        for row in found["pairs"]
        if not 1 - LENGTH_TELLS <= row["chosen_longer"] <= LENGTH_TELLS
    ]
    if telling:
        yield f"Length alone often tells which turn of a pair is chosen. Pairs whose chosen turn is longer: {', '.join(telling)}."
    yield from _positions(found["answer_positions"])


def _positions(rows: Sequence[Mapping]) -> Iterator[str]:
    for choices in sorted({row["choices"] for row in rows}):
        own = [row for row in rows if row["choices"] == choices]
        total = sum(row["prompts"] for row in own)
        most = max(own, key=lambda row: row["prompts"])
        if total >= FEW_PROMPTS and most["prompts"] / total - 1 / choices > EVEN_POSITIONS:
            yield (
                f"Right answers stand unevenly: of {count(total)} prompts with {choices} choices, "
                f"{percent(most['prompts'] / total)} have it at {text(most['position'])}."
            )
