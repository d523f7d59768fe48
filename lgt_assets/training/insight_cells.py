"""The order in which the experiments' cells are run: what is compared first comes first, a seed at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lgt_assets.errors import SettingsError
from lgt_assets.training.insight_page import AFTERWARDS
from lgt_assets.training.insight_tables import THE_STUDENT, Model
from lgt_assets.training.recipes import DPO, GRPO, RECIPES, SFT, Budget, cell_folder
from lgt_assets.training.training_runs import SETTINGS

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
    """All runs: the main table, a seed at a time; then DPO and GRPO; in the end what lies outside of the domain.

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
    for seed in seeds:
        for trainer in (DPO, GRPO):
            yield CellRun(TRAINERS, AFTERWARDS, seed, (f"{trainer}_model", "evaluation"), {"evaluation": asked})
    for seed in seeds if out_of_domain else ():
        for recipe in RECIPES:
            config = {"evaluation": {"questions": questions, "out_of_domain": out_of_domain}}
            yield CellRun(TRANSFER, recipe, seed, ("evaluation",), config)


def cell_lock(root: Path, release_id: str, run: CellRun) -> Path:
    """Who holds it runs a cell of this recipe and seed: several processes share the cells."""
    return root / "models" / release_id / f".{run.recipe}-{run.seed}.lock"


def is_done(
    run: CellRun, trained: Mapping[Model, Mapping[str, Any]], scored: Mapping[Model, Mapping[str, int]],
    counts: Mapping[str, int], budgets: Mapping[str, Budget],
) -> bool:  # fmt: skip
    """Whether nothing of a run is left to do: its models are trained, and all of the cell's were asked all questions.

    Args:
        run: which.
        trained: the record of what was trained to its end.
        scored: of each model that can be scored the questions that it was asked, by suite.
        counts: questions by suite that the run is to ask.
        budgets: that the trainings are to have, by trainer.
    """
    own = [
        model for model, record in trained.items()
        if model[1:] == (run.recipe, run.seed) and record["budget"] == budgets[model[0]].as_dict()
    ]  # fmt: skip
    wanted = _trainers(run)
    scorable = [*own, *({THE_STUDENT} & scored.keys())]
    asked = all(scored.get(model, {}).get(suite) == count for model in scorable for suite, count in counts.items())
    return wanted <= {stage for stage, _, _ in own} and asked


def require_budgets(
    runs: Iterable[CellRun], root: Path, release_id: str, budgets: Mapping[str, Budget], start: str
) -> None:
    """See before anything is run that no folder holds a training, ended or not, of another budget or of another model.

    Args:
        runs: what is to be run.
        root: the state's folder.
        release_id: the release.
        budgets: that the trainings are to have, by trainer.
        start: what tells the weights apart that SFT starts from; the other trainers start from SFT's.

    Raises:
        SettingsError: some do; all of them are named.
    """
    cells = {(run.recipe, run.seed, trainer) for run in runs for trainer in _trainers(run)}
    others = []
    for recipe, seed, trainer in sorted(cells):
        folder = cell_folder(root, release_id, recipe, seed, trainer)
        if not (folder / SETTINGS).is_file():
            continue
        held, wanted = json.loads((folder / SETTINGS).read_text()), budgets[trainer].as_dict()
        if held["budget"] != wanted:
            others.append(f"{folder} ({_in_words(held['budget'])} instead of {_in_words(wanted)})")
        elif trainer == SFT and held["start"] != start:
            others.append(f"{folder} (of the model {held['start']} instead of {start})")
    if others:
        raise SettingsError(
            f"these folders hold trainings of another budget or model than the profile's post_training: {'; '.join(others)}. "
            "Give what they have (in the profile; SFT's steps by --steps), or remove the folders"
        )


def _trainers(run: CellRun) -> set[str]:
    """Whose models a run needs: SFT's, and those that it makes."""
    return {SFT, *(name.removesuffix("_model") for name in run.assets if name != "evaluation")}


def _in_words(budget: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in budget.items())
