"""The folder that `lgt suites` writes, run by lmms-eval itself, without a network."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

evaluator = pytest.importorskip("lmms_eval.evaluator")
from lmms_eval.tasks import TaskManager  # noqa: E402

from lgt_assets_tests.trainers.lmms_eval.models import Embedded, Scripted  # noqa: E402

THOUGHT = "<think> It could be A, or B, or C. </think>\n<answer>({})</answer>"
# Two rows of each benchmark, in its own columns: what is tested is the tasks, not the models.
MADE: dict[str, list[dict[str, Any]]] = {
    "vstar_bench": [
        {"text": "Which color? (A) red (B) blue", "label": "B", "question_id": str(n), "category": "direct_attributes"}
        for n in range(2)
    ],
    "cv_bench": [
        {"prompt": "Which? (A) x (B) y", "choices": ["x", "y"], "answer": "(B)", "idx": n, "type": "2D", "task": "Count",
         "source": "COCO"} for n in range(2)
    ],
    "mmstar": [
        {"question": "Which? A: x, B: y", "answer": "B", "index": n, "category": "math", "l2_category": "geometry"}
        for n in range(2)
    ],
    "mmlu_pro": [{"question": "Which?", "options": ["x", "y"], "answer": "B", "category": "law"} for _ in range(2)],
    "mmau": [
        {"question": "Which?", "choices": json.dumps(["x", "y"]), "answer": "y", "task": "sound", "audio": "none"}
        for _ in range(2)
    ],
}  # fmt: skip
SPLITS = {"mmstar": "val", "mmau": "test_mini"}
METRICS = {"vstar_bench": "vstar_overall_acc", "cv_bench": "cv_bench_acc", "mmstar": "average", "mmlu_pro": "exact_match",
           "mmau": "accuracy"}  # fmt: skip


def evaluated(model: Any, task: str, folder: Path, **settings: Any) -> dict:
    manager = TaskManager("ERROR", include_path=str(folder), include_defaults=False)
    return evaluator.simple_evaluate(
        model=model, tasks=[task], task_manager=manager, batch_size=1, device="cpu", bootstrap_iters=0, **settings
    )  # fmt: skip


def test_the_embedded_model_answers_held_out_questions_as_well_as_elsewhere(
    exports: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evaluated(Embedded(model_folder), "lgt_held_out", exports / "lmms_eval")
    scores = found["results"]["lgt_held_out"]
    assert found["n-samples"]["lgt_held_out"]["effective"] == 10
    assert scores["right,none"] >= 0.8 and scores["well_formed,none"] == 1
    (sample, *_) = found["samples"]["lgt_held_out"]
    assert "<think>" in str(sample["resps"]) and "<think>" in str(sample["filtered_resps"])


@pytest.mark.parametrize("name", MADE)
def test_ready_benchmarks_score_the_answer_and_keep_the_thought(name: str, exports: Path, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks"
    shutil.copytree(exports / "lmms_eval", tasks)
    write_rows(tmp_path / name, name)
    path = tasks / f"lgt_{name}.yaml"
    text = path.read_text()
    hub = next(line for line in text.splitlines() if line.startswith("dataset_path:"))
    path.write_text(text.replace(hub, f"dataset_path: {tmp_path / name}"))
    for letter, share in (("B", 1), ("A", 0)):
        model = Scripted(THOUGHT.format(letter))
        found = evaluated(model, f"lgt_{name}", tasks)
        value = found["results"][f"lgt_{name}"][f"{METRICS[name]},none"]
        assert value in (share, 100 * share)
        assert all(settings["max_new_tokens"] >= 2048 for _, settings in model.asked) and len(model.asked) == 2
        assert all("<think>" in text for text, _ in model.asked)
        assert all("<think>" in str(sample["filtered_resps"]) for sample in found["samples"][f"lgt_{name}"])


def write_rows(folder: Path, name: str) -> None:
    from datasets import Dataset, DatasetDict
    from PIL import Image

    rows = MADE[name]
    if name in ("vstar_bench", "cv_bench", "mmstar"):
        rows = [row | {"image": Image.new("RGB", (56, 56), "red")} for row in rows]
    split = SPLITS.get(name, "test")
    folder.mkdir()
    DatasetDict({split: Dataset.from_list(rows)})[split].to_parquet(folder / f"{split}-00000.parquet")
    (folder / "README.md").write_text(
        "---\n" + yaml.safe_dump({"configs": [{"config_name": "default", "data_files": [
            {"split": split, "path": f"{split}-*.parquet"}]}]}) + "---\n"
    )  # fmt: skip
