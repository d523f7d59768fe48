"""Known limits of a release, as its numbers tell them: what a stranger should know before training on it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lgt_assets.release.card_making import JUDGED
from lgt_assets.release.card_wording import code, count, percent, text
from lgt_assets.release.card_yaml import by_config
from lgt_assets.release.models_used import is_embedded
from lgt_assets.release.writing import Written

SMALL = 1000  # train rows
EVEN_POSITIONS = 0.05  # difference from an even share that is told
FEW_PROMPTS = 50
LENGTH_TELLS = 0.65  # of a kind's pairs, from which on the length alone tells chosen from rejected
_NOT_SAID = "somebody whom the source does not name"
_WRITERS = {"human": "people", "rendered": "the program that drew the pictures"}
_WRITERS |= dict.fromkeys(("manifest", "hub", "webdataset"), _NOT_SAID)  # kinds of source that name nobody unless told


def limits(facts: Mapping, written: Sequence[Written]) -> list[str]:
    """Sentences in markdown, the gravest first."""
    return [
        *_writers(facts),
        *_captions(facts),
        *_generated(facts["pictures"]),
        *_unseen(facts),
        *_rows(facts, written),
    ]


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
        generated = row.get("generated", 0)
        kind = _WRITERS.get(row["caption_source"], "models")
        captions[kind] = captions.get(kind, 0) + row["pictures"] - generated
        captions["models"] = captions.get("models", 0) + generated
    total = sum(captions.values())
    if total:
        shares = ", ".join(f"{name} {percent(number / total)}" for name, number in sorted(captions.items()) if number)
        yield f"A key can be no better than its picture's caption and boxes. Captions were written by: {shares}."
    if captions.get(_WRITERS["rendered"], 0) == total and total:
        yield "All pictures are synthetic scenes of coloured shapes: nothing here looks like a photograph."


def _generated(pictures: Mapping) -> Iterator[str]:
    """What was generated because the source had none, by model: beside what the source gave, if there is both."""
    made = _by_model(pictures["captions"], "caption_source")
    if made:
        share, whole = _share(made, pictures["captions"], "pictures")
        yield (
            f"{share} captions were generated, since their source had none: by {_list(made)}. What that model saw wrong has "
            f"become a wrong key, which no vote can find.{'' if whole else ' The other captions came with the source.'}"
        )
    made = _by_model(pictures["boxes"], "box_source")
    if made:
        share, whole = _share(made, pictures["boxes"], "boxes")
        yield (
            f"{share} boxes were found by a detector, since their picture had none: by {_list(made)}. Nobody has drawn or "
            f"checked them.{'' if whole else ' The other boxes came with the source.'}"
        )


def _by_model(rows: Iterable[Mapping], maker: str) -> dict[str, int]:
    made: dict[str, int] = {}
    for row in rows:
        if row.get("generated", 0):
            made[row[maker]] = made.get(row[maker], 0) + row["generated"]
    return made


def _share(made: Mapping[str, int], rows: Iterable[Mapping], what: str) -> tuple[str, bool]:
    """``3 of 7 (42.9%)``, and whether it is all."""
    number, total = sum(made.values()), sum(row[what] for row in rows)
    return f"{count(number)} of {count(total)} ({percent(number / total)})", number == total


def _list(made: Mapping[str, int]) -> str:
    return ", ".join(f"{text(name)} ({count(number)})" for name, number in sorted(made.items()))


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
