"""verl's own data set and reward loop read an export: every row, its picture where it stands, and the release's score."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgt_assets_tests.trainers.released_rows import CONFIGS, SPLITS, ReleasedRow, hashes, released_rows

verl = pytest.importorskip("verl")
IMAGE = "<|image_pad|>"
LONGEST = 2_048  # tokens of a prompt


@pytest.fixture(scope="module")
def processor(model_folder: Path) -> Any:
    from verl.utils import hf_processor

    return hf_processor(str(model_folder))


@pytest.fixture
def load(exports: Path, processor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """verl's data set of a config's split, with verl's own settings but for those given."""
    import datasets
    from omegaconf import OmegaConf
    from verl.utils.dataset.rl_dataset import RLHFDataset

    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    defaults = OmegaConf.load(Path(verl.__file__).parent / "trainer/config/data/legacy_data.yaml")

    def read(config: str, split: str, **changes: Any) -> Any:
        settings = OmegaConf.merge(defaults, {"cache_dir": str(tmp_path), "max_prompt_length": LONGEST} | changes)
        path = exports / "verl" / f"{config}_{split}.parquet"
        return RLHFDataset(str(path), processor.tokenizer, settings, processor)

    return read


# With the filter on, a row whose prompt cannot be made is printed and dropped.
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("config", CONFIGS["rl"])
def test_every_row_comes_with_its_picture_and_answer(
    config: str, split: str, exports: Path, load: Callable[..., Any]
) -> None:
    rows = load(config, split, filter_overlong_prompts=True)
    released = released_rows(exports, config, split)
    assert [row_of(row) for row in rows] == released
    assert [(row["extra_info"]["split"], row["index"]) for row in rows] == [(split, n) for n in range(len(released))]


def row_of(row: dict) -> ReleasedRow:
    """What a row of verl's data set says."""
    (user,) = row["raw_prompt"]
    parts = [{"type": "text", "text": user["content"]}] if isinstance(user["content"], str) else user["content"]
    kinds = [part["type"] for part in parts]
    assert kinds == ["image"] * (len(parts) - 1) + ["text"]
    truth = (row["reward_model"]["ground_truth"], row["extra_info"]["verification"], *row["extra_info"]["choices"])
    shown = hashes(part["bytes"] for part in parts[:-1])
    return ReleasedRow(row["extra_info"]["row_id"], parts[-1]["text"], shown, truth)


def test_the_model_gets_qwens_chat_and_tokens_for_every_picture(
    exports: Path, load: Callable[..., Any], processor: Any
) -> None:
    from verl.utils.tokenizer import build_multimodal_processor_inputs

    rows, released = load("rl_stage1", "train"), released_rows(exports, "rl_stage1", "train")
    image_token = processor.tokenizer.convert_tokens_to_ids(IMAGE)
    for row, expected in zip(rows, released, strict=True):
        text = processor.apply_chat_template(row["raw_prompt"], add_generation_prompt=True, tokenize=False)
        assert text == expected.asked()
        images, videos, audios = asyncio.run(
            rows.process_multi_modal_info(row["raw_prompt"], rows.image_patch_size, rows.config)
        )
        assert (len(images or ()), videos, audios) == (expected.pictures, None, None)
        if images:
            inputs = build_multimodal_processor_inputs(
                processor, text=[text], images=images, videos=None, audio=None, mm_processor_kwargs={}
            )
            tokens = inputs["image_grid_thw"].prod(dim=1).sum() // processor.image_processor.merge_size**2
            assert (inputs["input_ids"] == image_token).sum() == tokens > 0


def test_a_row_that_cannot_be_read_is_dropped_and_missed(load: Callable[..., Any], exports: Path) -> None:
    """Which is why the others count: here it is those above a length."""
    kept = load("rl_stage1", "train", filter_overlong_prompts=True, max_prompt_length=100)
    assert len(kept) < len(released_rows(exports, "rl_stage1", "train"))


@pytest.mark.parametrize("config", CONFIGS["rl"])
def test_verls_reward_loop_scores_by_the_releases_function(
    config: str, exports: Path, load: Callable[..., Any], processor: Any
) -> None:
    from omegaconf import OmegaConf
    from verl.trainer.ppo.reward import load_reward_manager

    function = {"path": str(exports / "verl" / "rewards.py"), "name": "compute_score"}
    defaults = OmegaConf.load(Path(verl.__file__).parent / "trainer/config/reward/reward.yaml")
    settings = OmegaConf.merge({"reward": defaults}, {"reward": {"custom_reward_function": function}})

    async def scores() -> list[float]:
        manager = load_reward_manager(settings, processor.tokenizer)
        batches = [answered(row, text, processor) for row in load(config, "train") for text in answers(row)]
        return [(await manager.run_single(batch))["reward_extra_info"]["acc"] for batch in batches]

    assert asyncio.run(scores()) == [1.0, 0.0] * len(released_rows(exports, config, "train"))


def answers(row: dict) -> tuple[str, str]:
    """A right and a wrong completion."""
    right = row["reward_model"]["ground_truth"]
    is_letter = row["extra_info"]["verification"] == "letter"
    wrong = ("B" if right == "A" else "A") if is_letter else "7 hedgehogs"
    written = (f"({answer})" if is_letter else answer for answer in (right, wrong))
    return tuple(f"<think> I look. </think><answer>{answer}</answer>" for answer in written)


def answered(row: dict, text: str, processor: Any) -> Any:
    """The row with a completion, as verl's rollout hands it to the reward loop."""
    import torch
    from verl import DataProto
    from verl.utils.dataset.rl_dataset import collate_fn

    response = processor.tokenizer(text, return_tensors="pt")["input_ids"]
    batch = collate_fn([row]) | {"responses": response, "attention_mask": torch.ones_like(response)}
    return DataProto.from_single_dict(batch)
