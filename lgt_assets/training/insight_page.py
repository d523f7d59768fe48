"""What `lgt insights` writes into docs/insights.md: what was run, the three experiments, and how sure one can be of each."""

from collections.abc import Mapping, Sequence

from lgt_assets.charts import IntervalPanel, Panel
from lgt_assets.row_model import STAGES
from lgt_assets.training.comparisons import Difference
from lgt_assets.training.evaluations import STUDENT
from lgt_assets.training.held_out import IN_DOMAIN, SUITES
from lgt_assets.training.insight_tables import (
    THE_STUDENT,
    Findings,
    asked_table,
    compute_table,
    kinds_table,
    models_table,
    named,
    points,
    transfer_table,
)
from lgt_assets.training.recipes import RECIPES

Kind = tuple[str, str]  # stage and recipe
FINE_TUNED: Sequence[Kind] = tuple(("sft", recipe) for recipe in RECIPES)
AFTERWARDS = "merged"  # what DPO and GRPO go on from
TRAINERS: Sequence[Kind] = tuple((stage, AFTERWARDS) for stage in ("sft", "dpo", "grpo"))
TRACES: Sequence[tuple[Kind, Kind]] = (
    (("sft", "simple"), ("sft", "direct")),
    (("sft", "long"), ("sft", "direct")),
    (("sft", "long"), ("sft", "simple")),
    (("sft", "merged"), ("sft", "stage_1")),
)
OFFLINE: Sequence[tuple[Kind, Kind]] = (
    (("dpo", AFTERWARDS), ("sft", AFTERWARDS)),
    (("grpo", AFTERWARDS), ("sft", AFTERWARDS)),
    (("dpo", AFTERWARDS), ("grpo", AFTERWARDS)),
)
PICTURE = "insights.png"
EQUAL = 1.25  # times as many operations count as equal compute


def page(found: Findings, seeds: Sequence[str]) -> str:
    """The measured part of the page, in markdown; of the chosen seeds alone."""
    found = found.chosen(seeds)
    parts = [
        "### What was run",
        f"Release `{found.release_id}`; seeds scored: {', '.join(_scored(found)) or 'none'}; {_models(found)} models scored. "
        f"{budgets_sentence(found)}",
        compute_table(found, [*FINE_TUNED, *TRAINERS[1:]]),
        asked_table(found),
        f"{found.leaks} of the questions asked stand in the release, by picture or word for word.",
        f"![Shares right with 95 % intervals](images/{PICTURE})",
        "### Traces: direct, simple, long, stage 1, merged",
        models_table(found, FINE_TUNED, seeds),
        *_sentences(found, TRACES),
        kinds_table(found, FINE_TUNED),
        "### Afterwards: DPO against GRPO",
        models_table(found, TRAINERS, seeds),
        *_sentences(found, OFFLINE),
        compute_sentence(found),
        "### Transfer: outside of what training drew from",
        transfer_table(found, [*FINE_TUNED, *TRAINERS[1:]], SUITES[1:]),
    ]
    return "\n\n".join(parts) + "\n"


def sentence(found: Findings, first: Kind, second: Kind, suite: str = IN_DOMAIN) -> str:
    """One comparison in words: points, interval, on how much, and whether it is more than noise."""
    compared = found.against(first, second, suite)
    names = f"{named(*first)} less {named(*second)}"
    if compared is None:
        return f"- {names}: not run."
    return f"- {names}: {points(compared.widest)} points; {_on(compared)}: **{compared.verdict}**."


def budgets_sentence(found: Findings) -> str:
    """Steps and rows a step of each trainer, as the records have them, and whether they are the same for all its models."""
    told: dict[str, set[tuple[int, int]]] = {}
    for (stage, _recipe, _seed), record in found.records.items():
        told.setdefault(stage, set()).add((record["budget"]["steps"], record["budget"]["batch"]))
    parts = [
        f"{stage.upper()} {' and '.join(f'{steps} x {rows}' for steps, rows in sorted(told[stage]))}"
        + ("" if len(told[stage]) == 1 else " (**not** the same for all its models)")
        for stage in STAGES
        if stage in told
    ]
    if not parts:
        return "Budgets: no record of a training."
    return f"Steps x rows a step: {', '.join(parts)}; tokens differ with the targets' length."


def compute_sentence(found: Findings) -> str:
    """Whether DPO and GRPO were given equal compute, by counted operations of the seeds that both have."""
    sums = {}
    for stage in ("dpo", "grpo"):
        own = {
            seed: record
            for (one, recipe, seed), record in found.records.items()
            if (one, recipe) == (stage, AFTERWARDS)
        }
        sums[stage] = {seed: float(record["operations"]) for seed, record in own.items() if "operations" in record}
    both = sums["dpo"].keys() & sums["grpo"].keys()
    if not both:
        return "Compute of DPO and GRPO: not measured."
    ratio = sum(sums["grpo"][seed] for seed in both) / sum(sums["dpo"][seed] for seed in both)
    said = "equal compute" if 1 / EQUAL <= ratio <= EQUAL else "**not** equal compute"
    return f"GRPO did {ratio:.2f} times the operations of DPO ({len(both)} seeds): {said}."


def panels(found: Findings) -> list[Panel]:
    """Shares right of every model of every seed, by suite."""
    models = [THE_STUDENT] + sorted(
        {model for model, suite in found.hits if suite == IN_DOMAIN and model != THE_STUDENT}, key=_place
    )
    drawn = []
    for suite in SUITES:
        rows = {
            (row["stage"], row["recipe"], row["seed"]): (row["right"] / row["n"], row["low"], row["high"])
            for row in found.scores.iter_rows(named=True)
            if row["suite"] == suite and row["type"] == "all"
        }
        shown: Mapping[str, list[tuple[float, float, float]]] = {}
        for model in models:
            if model in rows:
                shown.setdefault(named(*model[:2]), []).append(rows[model])
        drawn.append(IntervalPanel(f"{suite}: share right", shown))
    return drawn


def _sentences(found: Findings, pairs: Sequence[tuple[Kind, Kind]]) -> list[str]:
    return ["\n".join(sentence(found, *pair) for pair in pairs)]


def _on(compared: Difference) -> str:
    seeds = "1 seed" if compared.seeds == 1 else f"{compared.seeds} seeds"
    return f"{seeds}, {compared.questions} questions each"


def _scored(found: Findings) -> list[str]:
    return sorted({seed for (_stage, _recipe, seed), _suite in found.hits if seed})


def _models(found: Findings) -> int:
    return len({model for model, _ in found.hits})


def _place(model: tuple[str, str, str]) -> tuple[int, int, str]:
    stage, recipe, seed = model
    order = [STUDENT, "sft", "dpo", "grpo"].index(stage)
    return order, [*RECIPES].index(recipe) if recipe in RECIPES else len(RECIPES), seed
