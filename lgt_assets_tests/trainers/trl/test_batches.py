"""TRL's own data loaders give every row of an export, whole: its pictures, its prompt, and its answer trained on alone."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgt_assets_tests.trainers.released_rows import CONFIGS, SPLITS, ReleasedRow, hashes, released_rows

pytest.importorskip("trl")
IMAGE = "<|image_pad|>"


def arguments(kind: Any, folder: Path, rows: int, **changes: Any) -> Any:
    """Settings that load all rows in one batch, on a CPU."""
    settings = {
        "per_device_train_batch_size": rows,
        "max_steps": 1,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
    }
    return kind(output_dir=str(folder), **settings | changes)


def texts(ids: Any, kept: Any, processor: Any) -> list[str]:
    """Each row's tokens where ``kept``, as text with one placeholder a picture."""
    decoded = (processor.tokenizer.decode(row[mask.bool()]) for row, mask in zip(ids, kept, strict=True))
    return [re.sub(f"(?:{re.escape(IMAGE)})+", IMAGE, text) for text in decoded]


def has_tokens_of_its_pictures(batch: Any, processor: Any) -> bool:
    """Whether there are as many image tokens as the pictures' patches ask for, and all patches are there."""
    image_token = processor.tokenizer.convert_tokens_to_ids(IMAGE)
    patches = batch["image_grid_thw"].prod(dim=1).sum()
    tokens = (batch["input_ids"] == image_token).sum() * processor.image_processor.merge_size**2
    return bool(patches == tokens == len(batch["pixel_values"]))


def released(row: dict) -> ReleasedRow:
    """What a row of the data set says."""
    (user,) = row["prompt"]
    answers = [row[name][0]["content"] for name in ("completion", "chosen", "rejected") if name in row]
    truth = [row["ground_truth"], row["verification"], *row["choices"]] if "ground_truth" in row else []
    shown = hashes(picture["bytes"] for picture in row["images"])
    return ReleasedRow(row["row_id"], user["content"], shown, (*answers, *truth))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("config", [config for configs in CONFIGS.values() for config in configs])
def test_the_hub_library_reads_every_row_with_its_pictures_bytes(
    config: str, split: str, exports: Path, rows_of: Callable
) -> None:
    from datasets import Image, List

    loaded = rows_of(config, split)
    assert loaded.features["images"] == List(Image())
    undecoded = loaded.cast_column("images", List(Image(decode=False)))
    assert [released(row) for row in undecoded] == released_rows(exports, config, split)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("config", CONFIGS["sft"])
def test_sft_trains_on_every_completion_and_on_nothing_else(
    config: str, split: str, exports: Path, model_folder: Path, rows_of: Callable, ready: Callable, processor: Any, tmp_path: Path
) -> None:  # fmt: skip
    from trl import SFTConfig, SFTTrainer

    loaded, expected_rows = rows_of(config, split), released_rows(exports, config, split)
    settings = arguments(SFTConfig, tmp_path, len(loaded), max_length=ready(config)["max_length"])
    batch = next(iter(SFTTrainer(str(model_folder), args=settings, train_dataset=loaded).get_train_dataloader()))
    whole = texts(batch["input_ids"], batch["attention_mask"], processor)
    trained = texts(batch["input_ids"], batch["labels"] != -100, processor)
    expected = Counter((row.chat(*row.answers), row.answers[0] + "<|im_end|>\n") for row in expected_rows)
    assert Counter(zip(whole, trained, strict=True)) == expected
    assert len(batch["image_grid_thw"]) == sum(row.pictures for row in expected_rows)
    assert has_tokens_of_its_pictures(batch, processor)


@pytest.mark.parametrize("config", CONFIGS["dpo"])
def test_dpo_compares_every_pair_whole(
    config: str, exports: Path, model_folder: Path, rows_of: Callable, ready: Callable, processor: Any, tmp_path: Path
) -> None:
    from trl import DPOConfig, DPOTrainer

    loaded, expected_rows = rows_of(config), released_rows(exports, config, "train")
    settings = arguments(DPOConfig, tmp_path, len(loaded), max_length=ready(config)["max_length"])
    batch = next(iter(DPOTrainer(str(model_folder), args=settings, train_dataset=loaded).get_train_dataloader()))
    whole = texts(batch["input_ids"], batch["attention_mask"], processor)
    compared = texts(batch["input_ids"], batch["completion_mask"], processor)
    half = len(whole) // 2  # the chosen ones, then the rejected ones
    pairs = zip(whole[:half], whole[half:], compared[:half], compared[half:], strict=True)
    expected = Counter(
        (*map(row.chat, row.answers), *(f"{answer}<|im_end|>\n" for answer in row.answers)) for row in expected_rows
    )
    assert Counter(pairs) == expected
    assert len(batch["image_grid_thw"]) == 2 * sum(row.pictures for row in expected_rows)
    assert has_tokens_of_its_pictures(batch, processor)


@pytest.mark.parametrize("pictures", [1, 0])
@pytest.mark.parametrize("config", CONFIGS["rl"])
def test_grpo_asks_every_prompt_with_its_picture_and_knows_its_answer(
    config: str, pictures: int, exports: Path, model_folder: Path, rows_of: Callable, tmp_path: Path
) -> None:
    """Rows with and without a picture apart: TRL 1.16's GRPO, unlike its SFT and DPO, fails on a batch of both."""
    from trl import GRPOConfig, GRPOTrainer

    loaded = rows_of(config).filter(lambda row: len(row["images"]) == pictures)
    expected_rows = [row for row in released_rows(exports, config, "train") if row.pictures == pictures]
    settings = arguments(
        GRPOConfig, tmp_path, 2 * len(loaded), num_generations=2, max_completion_length=1, steps_per_generation=1
    )
    trainer = GRPOTrainer(str(model_folder), lambda completions, **_: [0.0] * len(completions), settings, loaded)
    asked = next(iter(trainer.get_train_dataloader()))
    given = Counter((row["row_id"], len(row["images"]), row["ground_truth"]) for row in asked)
    assert given == Counter((row.row_id, row.pictures, row.answers[0]) for row in expected_rows for _ in range(2))
    made = trainer._prepare_inputs(asked)  # the prompts as the model gets them
    prompts = texts(made["prompt_ids"], made["prompt_mask"], trainer.processing_class)
    assert Counter(prompts) == Counter(row.asked() for row in expected_rows for _ in range(2))
    assert len(made.get("image_grid_thw", ())) == 2 * sum(row.pictures for row in expected_rows)


def test_at_the_default_length_a_long_trace_is_cut_which_the_ready_configuration_prevents(
    exports: Path, model_folder: Path, rows_of: Callable, ready: Callable, processor: Any, tmp_path: Path
) -> None:
    from trl import SFTConfig, SFTTrainer

    loaded, expected_rows = rows_of("sft_stage1"), released_rows(exports, "sft_stage1", "train")
    settings = arguments(SFTConfig, tmp_path, len(loaded))
    batch = next(iter(SFTTrainer(str(model_folder), args=settings, train_dataset=loaded).get_train_dataloader()))
    whole = {f"{answer}<|im_end|>\n" for row in expected_rows for answer in row.answers}
    cut = [text for text in texts(batch["input_ids"], batch["labels"] != -100, processor) if text not in whole]
    assert settings.max_length < ready("sft_stage1")["max_length"]
    assert cut


def test_the_chat_format_is_qwens(processor: Any) -> None:
    """What the other tests compare with is rendered by the template that TRL knows as Qwen2.5-VL's."""
    import trl.chat_template_utils as known

    qwens = (Path(known.__file__).parent / "chat_templates" / "qwen2_5_vl.jinja").read_text()
    chat = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Which?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "<think> One. </think><answer>(A)</answer>"}]},
    ]
    own, its = (processor.apply_chat_template(chat, chat_template=one) for one in (None, qwens))
    assert own == its
