"""The order in which the experiments' cells are run: what is compared first comes first, a seed at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lgt_assets.training.insight_page import AFTERWARDS
from lgt_assets.training.insight_tables import THE_STUDENT, Model
from lgt_assets.training.recipes import DPO, GRPO, RECIPES, SFT

# Steps of DPO and of GRPO after the same SFT, so that both do about as many operations: a step of GRPO has four times the
# completions of one of DPO, and each is sampled first. What they did is counted in the page.
STEPS_AFTERWARDS: Mapping[str, int] = {DPO: 40, GRPO: 10}
MAIN, TRAINERS, TRANSFER = "traces", "DPO and GRPO", "transfer"


@dataclass(frozen=True)
class CellRun:
    """One run of at most ten minutes: assets of one recipe and seed, and what of their settings differs from the defaults."""

    part: str
    recipe: str
    seed: str
    assets: tuple[str, ...]
    config: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def cell_runs(
    seeds: Sequence[str], *, questions: int, out_of_domain: int, steps: int | None = None
) -> Iterator[CellRun]:
    """All runs: of each seed the main table, then DPO and GRPO; in the end what lies outside of the domain.

    Args:
        seeds: which.
        questions: of the suite held_out.
        out_of_domain: of each other suite; 0: they are left out.
        steps: of SFT, instead of its own budget's.
    """
    asked = {"questions": questions, "out_of_domain": 0}
    tuned = {"sft_model": {"steps": steps}} if steps else {}
    for seed in seeds:
        for recipe in RECIPES:
            yield CellRun(MAIN, recipe, seed, ("sft_model", "evaluation"), tuned | {"evaluation": asked})
        for trainer in (DPO, GRPO):
            config = {f"{trainer}_model": {"steps": STEPS_AFTERWARDS[trainer]}, "evaluation": asked}
            yield CellRun(TRAINERS, AFTERWARDS, seed, (f"{trainer}_model", "evaluation"), config)
    for seed in seeds if out_of_domain else ():
        for recipe in RECIPES:
            config = {"evaluation": {"questions": questions, "out_of_domain": out_of_domain}}
            yield CellRun(TRANSFER, recipe, seed, ("evaluation",), config)


def is_done(
    run: CellRun, trained: Collection[Model], scored: Mapping[Model, Mapping[str, int]], counts: Mapping[str, int]
) -> bool:
    """Whether nothing of a run is left to do: its models are trained, and all of the cell's were asked all questions.

    Args:
        run: which.
        trained: what was trained to its end.
        scored: of each model the questions that it was asked, by suite.
        counts: questions by suite that the run is to ask.
    """
    own = [model for model in trained if model[1:] == (run.recipe, run.seed)]
    wanted = {SFT, *(name.removesuffix("_model") for name in run.assets if name != "evaluation")}
    asked = all(
        scored.get(model, {}).get(suite) == count for model in [*own, THE_STUDENT] for suite, count in counts.items()
    )
    return wanted <= {stage for stage, _, _ in own} and asked
