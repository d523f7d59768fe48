"""Sections of a card on what a release holds: numbers, an example, pictures with their licences."""

from collections.abc import Mapping, Sequence

from lgt_assets.release.card_wording import code, count, fenced, folded, interval, percent, table, text
from lgt_assets.release.card_yaml import by_config
from lgt_assets.release.picture_sources import ATTRIBUTIONS_FILE
from lgt_assets.release.writing import Written

CONFIGS_TOLD = {
    "sft_stage1": "supervised, seed questions",
    "sft_stage2": "supervised, composed questions",
    "sft_stage2_merged": "supervised, both",
    "dpo_stage1": "preference pairs, seed questions",
    "dpo_stage2": "preference pairs, composed questions",
    "rl_stage1": "prompts with a verifiable answer, seed questions",
    "rl_stage2": "prompts with a verifiable answer, composed questions",
}
_MOST_CREDITS = 20


def rows_table(written: Sequence[Written]) -> str:
    """Rows of each config by split."""
    rows = []
    for name, splits in by_config(written).items():
        sizes = {one.split: one.rows for one in splits}
        megabytes = sum(one.bytes for one in splits) / 1e6
        shown = [count(sizes.get(split, 0)) for split in ("train", "validation")]
        rows.append([code(name), CONFIGS_TOLD.get(name, ""), *shown, f"{megabytes:,.1f}"])
    return table(["config", "", "train", "validation", "MB"], rows, right=(2, 3, 4))


def example_section(facts: Mapping) -> str:
    """One example as it is, not chosen by looks."""
    shown = facts["example"]
    if shown is None:
        return "There is no supervised example."
    return "\n\n".join([
        f"`{shown['row_id']}`, recipe `{shown['recipe']}`, drawn by its hash. The user asks, besides the picture:",
        fenced(shown["user"]), "and the assistant answers:", fenced(shown["assistant"]),
    ])  # fmt: skip


def statistics_section(facts: Mapping, plots: Mapping[str, str], token_lengths: Mapping[str, Mapping]) -> str:
    """Tables and plots.

    Args:
        facts: see :func:`lgt_assets.release.facts.release_facts`.
        plots: what each plot shows, by its path.
        token_lengths: by config, what :class:`lgt_assets.release.token_lengths.TokenLengths` says as a dict.
    """
    found, method = facts["statistics"], facts["method"]
    drawn = next((row["value"] for row in facts["thresholds"] if row["name"] == "sizes"), {})
    parts = (
        ["They count all rows of the release, of which some configs hold as many as `release.sizes` says."]
        if drawn
        else []
    )
    parts += [f"![{words}]({path})" for path, words in plots.items()]
    rates = [
        [f"stage {row['stage']}", count(row["samples"]), interval(row["rate"], row["low"], row["high"])]
        for row in method["pass_rates"]
    ]
    parts += [
        "**How often the VLM is right**", table(["questions of", "samples", "right (95 % interval)"], rates, right=(1,)),
    ]  # fmt: skip
    moved = [[f"`{row['transition']}`", count(row["traces"]), percent(row["share"])] for row in method["transitions"]]
    parts += [
        "**Answers before and after a thought was expanded** (`O` right, `X` wrong)",
        table(["", "traces", "share"], moved, right=(1, 2)),
    ]
    behaviours: dict[str, dict[str, float]] = {}
    for row in method["behaviours"]:
        behaviours.setdefault(row["behaviour"], {})[row["thoughts"]] = row["share"]
    shown = [
        [name.replace("_", " "), percent(shares.get("simple")), percent(shares.get("expanded"))]
        for name, shares in behaviours.items()
    ]
    parts += [
        "**Thoughts that show a behaviour**, by cues in their words",
        table(["", "simple", "expanded"], shown, right=(1, 2)),
    ]
    pairs = [
        [
            code(row["kind"]), count(row["pairs"]), f"{row['chosen_characters']:,.0f}", f"{row['rejected_characters']:,.0f}",
            percent(row["chosen_longer"]),
        ]
        for row in found["pairs"]
    ]  # fmt: skip
    heads = ["kind of pair", "pairs", "characters chosen", "rejected", "chosen is longer"]
    parts += ["**Preference pairs**", table(heads, pairs, right=(1, 2, 3, 4))]
    positions = [
        [str(row["choices"]), text(row["position"]), count(row["prompts"])] for row in found["answer_positions"]
    ]
    parts += ["**Position of the right answer**", table(["choices", "position", "prompts"], positions, right=(0, 2))]
    parts += ["**Lengths in tokens**", _tokens(token_lengths)]
    return "\n\n".join(parts)


def _tokens(measured: Mapping[str, Mapping]) -> str:
    lengths = {config: own for config, own in measured.items() if own["rows"]}
    if not lengths:
        return "Not measured."
    names = ("mean", "p50", "p95", "p99", "max")
    rows = [
        [
            code(config), count(own["rows"]), *(count(round(own["total"][name])) for name in names),
            count(own["completion"]["max"]), count(own["max_length"]),
        ]
        for config, own in lengths.items()
    ]  # fmt: skip
    heads = [
        "config",
        "rows",
        "mean",
        "half have at most",
        "95 %",
        "99 %",
        "longest",
        "longest completion",
        "max_length",
    ]
    methods = list(dict.fromkeys(own["method"] for own in lengths.values()))
    exact = all(own["exact"] for own in lengths.values())
    told = "" if exact else " These are **no exact counts**."
    return (
        f"{table(heads, rows, right=range(1, len(heads)))}\n\nMethod: {'; '.join(text(one) for one in methods)}.{told} Prompts "
        "with pictures are part of a length; with `max_length` no row is cut."
    )


def pictures_section(facts: Mapping, has_file: bool) -> str:
    """Sources, licences and credits.

    Args:
        facts: see :func:`lgt_assets.release.facts.release_facts`.
        has_file: whether the export has the file of credits; without it the card lists all that the facts hold.
    """
    pictures = facts["pictures"]
    captions: dict[str, str] = {}
    for row in pictures["captions"]:
        own = f"{text(row['caption_source'])} {count(row['pictures'])}"
        captions[row["source"]] = f"{captions[row['source']]}, {own}" if row["source"] in captions else own
    rows = [
        [text(row["source"]), text(row["license"]), count(row["pictures"]), captions.get(row["source"], "")]
        for row in pictures["sources"]
    ]
    boxes = ", ".join(f"{text(row['box_source'])} {count(row['boxes'])}" for row in pictures["boxes"]) or "none"
    parts = [
        table(["source", "licence", "pictures", "captions by"], rows, right=(2,)), f"Boxes by: {boxes}.",
        _credits(pictures, has_file),
        "The licences are the pictures'. Models wrote questions and thoughts; their terms may bind what you do.",
    ]  # fmt: skip
    return "\n\n".join(parts)


def _credits(pictures: Mapping, has_file: bool) -> str:
    total, listed = pictures["attributions_in_all"], pictures["attributions"]
    told = f"`{ATTRIBUTIONS_FILE}` names licence and credit of each picture." if has_file else ""
    if not total:
        return f"No picture asks for a credit. {told}".strip()
    rows = [[text(row["attribution"]), text(row["license"]), count(row["pictures"])] for row in listed]
    heads = ["credit", "licence", "pictures"]
    parts = [table(heads, rows[:_MOST_CREDITS], right=(2,))]
    if len(rows) > _MOST_CREDITS:
        more = table(heads, rows[_MOST_CREDITS:], right=(2,))
        parts.append(folded(f"{count(len(rows) - _MOST_CREDITS)} more credits", more))
    parts += [f"The first {count(len(rows))} of {count(total)} credits."] if total > len(rows) else []
    return "\n\n".join([*parts, told]).strip()
