"""The held-out suites, and ready benchmarks, as a folder of tasks that lmms-eval takes with ``--include_path``."""

import importlib.resources
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from lgt_assets.embedded.scenes import render
from lgt_assets.errors import SettingsError
from lgt_assets.release.hub_features import metadata
from lgt_assets.release.rewards import rewards_source
from lgt_assets.training.held_out import Question
from lgt_assets.training.scoring import LONGEST_REPLY, text_of, truth_of

TASKS = "lgt_assets.training.lmms_eval_tasks"
TEMPLATE = "suite.yaml"
READY = ("vstar_bench", "cv_bench", "mmstar", "mmlu_pro", "mmau")


def write_tasks(out: Path, suites: Mapping[str, Sequence[Question]]) -> list[str]:
    """Write a task for each suite with its questions as parquet, the ready benchmarks' tasks, and what they call.

    Args:
        out: folder to write: empty, or not there yet.
        suites: questions by suite.

    Returns:
        The tasks' names for ``--tasks``, the suites' first.

    Raises:
        SettingsError: the folder holds something.
    """
    if out.is_dir() and any(out.iterdir()):
        raise SettingsError(f"{out} is not empty: give another folder")
    out.mkdir(parents=True, exist_ok=True)
    files = importlib.resources.files(TASKS)
    (out / "rewards.py").write_text(rewards_source())
    for name in ("functions.py", *(f"lgt_{task}.yaml" for task in READY)):
        (out / name).write_text((files / name).read_text())
    template = (files / TEMPLATE).read_text()
    for suite, asked in suites.items():
        _write_questions(out / f"{suite}.parquet", asked)
        text = template.replace("SUITE", suite).replace("NEW_TOKENS", str(LONGEST_REPLY))
        (out / f"lgt_{suite}.yaml").write_text(text)
    return [f"lgt_{name}" for name in (*suites, *READY)]


def row_of(question: Question) -> dict[str, object]:
    """A question as the tasks read it: its prompt, picture, and what decides whether a reply is right."""
    example, buffer = question.example, io.BytesIO()
    render(example.scene).save(buffer, "PNG")
    truth, verification = truth_of(question)
    return {
        "prompt": text_of(question), "ground_truth": truth, "verification": verification,
        "choices": list(example.choices or ()), "type": question.kind, "hops": question.hops,
        "images": [{"bytes": buffer.getvalue(), "path": None}],
    }  # fmt: skip


def _write_questions(path: Path, asked: Sequence[Question]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([
        ("prompt", pa.string()), ("ground_truth", pa.string()), ("verification", pa.string()),
        ("choices", pa.list_(pa.string())), ("type", pa.string()), ("hops", pa.int64()), ("images", pa.list_(picture)),
    ])  # fmt: skip
    table = pa.Table.from_pylist([row_of(question) for question in asked], schema=schema)
    pq.write_table(table.replace_schema_metadata(metadata(schema, ("images",))), path)
