"""axolotl, a guest in ms-swift's environment: its collator for Qwen2.5-VL takes the rows of the format ``structured``.

A row without pictures (the graph makes none) is an error in axolotl 0.19, not a row that is lost.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from lgt_assets_tests.trainers.released_rows import CONFIGS, SPLITS, released_rows

pytest.importorskip("axolotl")


def collator(processor: Any) -> Any:
    from axolotl.processing_strategies import Qwen2VLProcessingStrategy
    from axolotl.utils.collators.mm_chat import MultiModalChatDataCollator

    strategy = Qwen2VLProcessingStrategy(processor, chat_template=processor.tokenizer.chat_template)
    return MultiModalChatDataCollator(processor.tokenizer, strategy)


@pytest.mark.parametrize(("config", "split"), [(config, split) for config in CONFIGS["sft"] for split in SPLITS])
def test_every_row_arrives_and_its_answer_alone_is_trained_on(
    config: str, split: str, exports: Path, model_folder: Path
) -> None:
    from datasets import load_dataset
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(model_folder)
    pad = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    rows = released_rows(exports, config, split)
    files = {split: str(exports / "structured" / config / f"{split}-*.parquet")}
    arrived = load_dataset("parquet", data_files=files, split=split)
    assert len(arrived) == len(rows) > 0
    collate = collator(processor)
    for row, one in zip(rows, arrived, strict=True):
        if not row.shown:
            with pytest.raises(IndexError):
                collate([one])
            continue
        batch = collate([one])
        (ids,), (labels,) = batch["input_ids"].tolist(), batch["labels"].tolist()
        (answer,) = row.answers
        assert re.sub(r"(<\|image_pad\|>)+", "<|image_pad|>", processor.tokenizer.decode(ids)) == row.chat(answer)
        trained = processor.tokenizer.decode([label for label in labels if label != -100])
        assert trained.removesuffix("\n") == f"{answer}<|im_end|>"
        assert ids.count(pad) * 4 == int(batch["image_grid_thw"].prod(dim=1).sum())
