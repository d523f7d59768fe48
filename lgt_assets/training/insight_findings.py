"""Findings gathered from a state folder: rows of ``evaluations``, answers, and the records of the trainings."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from lgt_assets.errors import NotFoundError
from lgt_assets.row_model import STAGES
from lgt_assets.storage import DeltaStore
from lgt_assets.training.contamination import exported_questions, leaks, questions_of, recurring_wordings
from lgt_assets.training.evaluations import TABLE, asked_by, latest
from lgt_assets.training.insight_tables import Findings, Model
from lgt_assets.training.training_runs import RECORD


def gathered(
    store: DeltaStore, root: Path, release_id: str, export: Path, *, distance: int, ngram: int, share: float
) -> Findings:
    """What is known of a release's models.

    Args:
        store: of the tables.
        root: the state's folder.
        release_id: the release.
        export: of it, in the format ``hf``.
        distance: bits in which hashes of one picture may differ.
        ngram: words in a run, by which wordings are found.
        share: of a question's words that runs must cover.

    Raises:
        NotFoundError: no model of it was scored.
    """
    scores = latest(store.read(TABLE).filter(pl.col("release_id") == release_id))
    if scores.is_empty():
        raise NotFoundError(
            f"no model of release {release_id} was scored yet: run `lgt insights` without --report-only"
        )
    models = list(dict.fromkeys(scores.select("stage", "recipe", "seed").iter_rows()))
    folders = {model: root / "models" / release_id / "evaluation" / Path(*model) for model in models}
    asked = list(dict.fromkeys(one for folder in folders.values() for one in asked_by(folder)))
    trained = exported_questions(export)
    return Findings(
        release_id, scores, _hits(folders, scores), _records(root / "models" / release_id, models),
        recurring_wordings(asked, trained, ngram=ngram, share=share), questions_of(leaks(asked, trained, distance=distance)),
    )  # fmt: skip


def _hits(folders: Mapping[Model, Path], scores: pl.DataFrame) -> dict[tuple[Model, str], Sequence[bool]]:
    found = {}
    for (stage, recipe, seed), folder in folders.items():
        for path in sorted(folder.glob("*.jsonl")):
            hits = [json.loads(line)["right"] for line in path.read_text().splitlines()]
            row = scores.filter(
                pl.col("stage") == stage, pl.col("recipe") == recipe, pl.col("seed") == seed,
                pl.col("suite") == path.stem, pl.col("type") == "all",
            )  # fmt: skip
            # A run that was killed between answers and rows leaves answers that the table does not tell of.
            if row.select("n", "right").rows() == [(len(hits), sum(hits))]:
                found[(stage, recipe, seed), path.stem] = hits
    return found


def _records(models: Path, names: Sequence[Model]) -> dict[Model, Mapping[str, object]]:
    paths = {name: models / Path(*name) / RECORD for name in names if name[0] in STAGES[1:]}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}
