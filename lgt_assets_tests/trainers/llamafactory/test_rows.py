"""Every row of a release reaches LLaMA-Factory's trainer whole: answers are trained on, prompts are not, pictures are found."""

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lgt_assets_tests.trainers.llamafactory.loading import UNCUT, Loaded, load, settings_for
from lgt_assets_tests.trainers.released_rows import CONFIGS, SPLITS, ReleasedRow, hashes, released_rows

pytest.importorskip("llamafactory")
END = "<|im_end|>\n"
SIDES = {"sft": ("",), "dpo": ("chosen_", "rejected_")}
NAMES = [(task, config, split) for task in SIDES for config in CONFIGS[task] for split in SPLITS]


@pytest.fixture(scope="module")
def loaded(exports: Path, model_folder: Path) -> Callable[[str, str, str], Loaded]:
    """The rows of a config's split."""

    @cache
    def one(task: str, config: str, split: str) -> Loaded:
        settings = settings_for(task, f"lgt_{config}_{split}", exports / "llamafactory", model_folder, cutoff_len=UNCUT)
        return load(settings)

    return one


def exported(exports: Path, config: str, split: str) -> list[dict[str, Any]]:
    lines = (exports / "llamafactory" / f"{config}_{split}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize(("task", "config", "split"), NAMES)
def test_every_row_arrives_and_its_answer_alone_is_trained_on(
    task: str, config: str, split: str, exports: Path, loaded: Callable[..., Loaded]
) -> None:
    rows, arrived = released_rows(exports, config, split), loaded(task, config, split)
    assert len(arrived.train) == len(rows) > 0
    for row, one in zip(rows, arrived.train, strict=True):
        for side, answer in zip(SIDES[task], row.answers, strict=True):
            assert_trained(arrived, row, one[f"{side}input_ids"], one[f"{side}labels"], answer)


def assert_trained(arrived: Loaded, row: ReleasedRow, ids: list[int], labels: list[int], answer: str) -> None:
    assert arrived.trained(labels) == answer + END
    trained = sum(label != -100 for label in labels)
    assert labels[-trained:] == ids[-trained:]
    masked = arrived.tokenizer.decode(ids[:-trained])
    assert re.sub(r"(<\|image_pad\|>)+", "<|image_pad|>", masked) == row.asked()


@pytest.mark.parametrize(("task", "config", "split"), NAMES)
def test_placeholders_and_pictures_agree_in_every_row(
    task: str, config: str, split: str, exports: Path, loaded: Callable[..., Loaded]
) -> None:
    from PIL import Image

    arrived = loaded(task, config, split)
    pad, start = arrived.tokenizer.convert_tokens_to_ids(["<|image_pad|>", "<|vision_start|>"])
    shown = 0
    for released, row, one in zip(
        released_rows(exports, config, split), exported(exports, config, split), arrived.train, strict=True
    ):
        paths = one["images"] or []
        assert [Path(path) for path in paths] == [exports / "llamafactory" / path for path in row["images"]]
        assert hashes(Path(path).read_bytes() for path in paths) == released.shown
        assert row["messages"][0]["content"].count("<image>") == len(paths)
        pads = sum(pads_of(arrived.processor, Image.open(path)) for path in paths)
        for side in SIDES[task]:
            ids = one[f"{side}input_ids"]
            assert (ids.count(start), ids.count(pad)) == (len(paths), pads)
        shown += len(paths)
    assert shown


def pads_of(processor: Any, picture: Any) -> int:
    """Tokens of a picture in the model's own processor."""
    grid = processor.image_processor(picture.convert("RGB"), return_tensors="pt")["image_grid_thw"]
    return int(grid.prod()) // processor.image_processor.merge_size**2


@pytest.mark.parametrize(("task", "config"), [("sft", "sft_stage1"), ("dpo", "dpo_stage1")])
def test_a_bad_row_is_skipped_without_an_error_so_rows_are_counted(
    task: str, config: str, exports: Path, model_folder: Path, tmp_path: Path
) -> None:
    rows = exported(exports, config, "train")
    rows[1]["messages"][0]["role"] = "assistant"
    write(tmp_path / f"{config}_train.jsonl", rows)
    shutil.copy(exports / "llamafactory" / "dataset_info.json", tmp_path)
    settings = settings_for(
        task, f"lgt_{config}_train", tmp_path, model_folder, media_dir=str(exports / "llamafactory")
    )
    assert len(load(settings).train) == len(rows) - 1


def test_an_export_can_be_moved(exports: Path, model_folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(exports / "llamafactory", moved)
    paths = {
        Path(path)
        for one in load(settings_for("sft", "lgt_sft_stage1_train", moved, model_folder)).train
        for path in one["images"] or ()
    }
    assert paths == {moved / path for row in exported(exports, "sft_stage1", "train") for path in row["images"]}


@pytest.fixture(scope="module")
def at_cutoff(exports: Path, model_folder: Path) -> Callable[[int], list[int]]:
    """Lengths of the rows at a ``cutoff_len``."""

    def lengths(cutoff: int) -> list[int]:
        settings = settings_for(
            "sft", "lgt_sft_stage1_train", exports / "llamafactory", model_folder, cutoff_len=cutoff
        )
        return [len(one["input_ids"]) for one in load(settings).train]

    return lengths


def test_a_cutoff_of_the_longest_row_cuts_nothing_and_one_less_does(at_cutoff: Callable[[int], list[int]]) -> None:
    uncut = at_cutoff(UNCUT)
    assert at_cutoff(max(uncut)) == uncut
    assert at_cutoff(max(uncut) - 1) != uncut


def test_llamafactorys_default_cuts_the_answer_of_a_long_row_away(
    exports: Path, model_folder: Path, tmp_path: Path
) -> None:
    rows = exported(exports, "sft_stage1", "train")[:1]
    answer = rows[0]["messages"][-1]
    answer["content"] = answer["content"].replace("</think>", " Let me look again." * 2_000 + "</think>")
    write(tmp_path / "sft_stage1_train.jsonl", rows)
    shutil.copy(exports / "llamafactory" / "dataset_info.json", tmp_path)
    here = {"media_dir": str(exports / "llamafactory")}
    cut = load(settings_for("sft", "lgt_sft_stage1_train", tmp_path, model_folder, **here))
    whole = load(settings_for("sft", "lgt_sft_stage1_train", tmp_path, model_folder, cutoff_len=UNCUT, **here))
    assert "<answer>" not in cut.trained(cut.train[0]["labels"])
    assert whole.trained(whole.train[0]["labels"]) == answer["content"] + END
