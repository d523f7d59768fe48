"""Rows of the table ``evaluations``: models scored suite by suite, so that a run that was cut off goes on with the next suite."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.embedded.scenes import render
from lgt_assets.schemas import frame
from lgt_assets.sources.files import locked, write_atomically
from lgt_assets.storage import DeltaStore
from lgt_assets.training.contamination import KnownPrompts, Seen, exported_questions, seen
from lgt_assets.training.held_out import questions
from lgt_assets.training.scoring import Answered, answered, counted
from lgt_assets.training.weights_digests import files_digest

TABLE = "evaluations"
STUDENT = "student"
KEY = ("release_id", "stage", "recipe", "seed", "suite", "type")


@dataclass(frozen=True)
class ScoredModel:
    """A model to score.

    Attributes:
        root: the state's folder.
        release_id: what it was trained on.
        stage: ``student``, or the trainer that made it.
        recipe: empty for the student.
        seed: empty for the student.
        weights: folder of the model.
        dtype: of its weights in memory; ``auto``: as they are stored.
    """

    root: Path
    release_id: str
    stage: str
    recipe: str
    seed: str
    weights: Path
    dtype: str = "float32"

    @property
    def answers(self) -> Path:
        """Folder of what it said, a file for each suite."""
        return self.root / "models" / self.release_id / "evaluation" / self.stage / self.recipe / self.seed

    @property
    def pictures(self) -> Path:
        """Folder of the rendered scenes, the same for all models."""
        return self.root / "models" / self.release_id / "evaluation" / "pictures"

    def names(self) -> dict[str, str]:
        """Its columns in the table."""
        return {
            "release_id": self.release_id, "stage": self.stage, "recipe": self.recipe, "seed": self.seed,
            "weights": files_digest(sorted(self.weights.glob("*.safetensors"))),
        }  # fmt: skip


def evaluate(
    store: DeltaStore, model: ScoredModel, export: Path, counts: Mapping[str, int], *,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> pl.DataFrame:  # fmt: skip
    """Score a model on the suites that it was not yet asked so many questions of, and keep rows and answers of each.

    Questions whose prompt stands in the export are passed over.

    Args:
        store: of the tables.
        model: which.
        export: of its release, in the format ``hf``.
        counts: questions by suite.
        progress: told the suite, answers given, and questions in all.

    Returns:
        The model's rows in the table, those of earlier runs too.

    Raises:
        LgtError: there is no model or no export, or too few questions are left.
    """
    with locked(model.answers.with_suffix(".lock")):  # cells share the student: two processes do not both score it
        return _evaluated(store, model, export, counts, progress)


def _evaluated(
    store: DeltaStore, model: ScoredModel, export: Path, counts: Mapping[str, int],
    progress: Callable[[str, int, int], None],
) -> pl.DataFrame:  # fmt: skip
    names, known = model.names(), None
    before = _asked_counts(store, names)
    for suite, count in counts.items():
        if before.get(suite) == count:
            continue
        known = known or KnownPrompts(exported_questions(export))
        asked = questions(suite, count, known=known)
        answers, seconds = answered(
            model.weights,
            asked,
            model.pictures,
            dtype=model.dtype,
            progress=lambda done, total, suite=suite: progress(suite, done, total),
        )
        _keep(model.answers / f"{suite}.jsonl", answers)
        number = (store.read(TABLE)["number"].max() or 0) + 1
        rows = [{"number": number, **names, **scored.as_dict(), "seconds": seconds} for scored in counted(answers)]
        store.append(TABLE, frame(TABLE, rows))
    return latest(_own(store.read(TABLE), names).filter(pl.col("suite").is_in(list(counts))))


def asked_counts(store: DeltaStore, model: ScoredModel) -> dict[str, int]:
    """How many questions of each suite these very weights were asked last."""
    return _asked_counts(store, model.names())


def _asked_counts(store: DeltaStore, names: Mapping[str, str]) -> dict[str, int]:
    rows = latest(_own(store.read(TABLE), names).filter(pl.col("type") == "all"))
    return dict(rows.select("suite", "n").iter_rows())


def latest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each model and suite the rows that were made last, all together, in the order of the keys (KEY), each key once."""
    newest = rows.filter(pl.col("number") == pl.col("number").max().over(*KEY[:-1]))
    return newest.unique(KEY, keep="last", maintain_order=True).sort(*KEY)


def asked_by(answers: Path) -> list[Seen]:
    """What a model was asked, as its answers' files say."""
    return [
        Seen(path.stem, line["prompt"], line["pixels"], line["phash"])
        for path in sorted(answers.glob("*.jsonl"))
        for line in map(json.loads, path.read_text().splitlines())
    ]


def _own(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    return rows.filter(*(pl.col(name) == value for name, value in names.items()))


def _keep(path: Path, answers: list[Answered]) -> None:
    lines = []
    for one in answers:
        example = one.question.example
        shown = seen(one.question.suite, example.user, render(example.scene)).as_dict()
        told = {"type": one.question.kind, "truth": example.answer, "reply": one.reply, "right": one.is_right}
        lines.append(json.dumps(shown | told, ensure_ascii=False) + "\n")
    write_atomically(path, "".join(lines).encode())
