"""OpenRLHF, a guest in ms-swift's environment: its data set and its processing of pictures take the format ``openrlhf``."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from lgt_assets_tests.trainers.released_rows import CONFIGS, SPLITS, released_rows

pytest.importorskip("openrlhf")
# The options --data.… with which the format is read.
OPTIONS = SimpleNamespace(input_key="prompt", label_key="label", image_key="images", apply_chat_template=True)
STRATEGY = SimpleNamespace(args=SimpleNamespace(data=OPTIONS), is_rank_0=lambda: False)


@pytest.mark.parametrize(("config", "split"), [(config, split) for config in CONFIGS["rl"] for split in SPLITS])
def test_every_prompt_arrives_with_its_pictures_and_label(
    config: str, split: str, exports: Path, model_folder: Path
) -> None:
    from datasets import load_dataset
    from openrlhf.datasets import PromptDataset
    from openrlhf.utils.vlm_utils import process_prompt_with_images
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(model_folder)
    pad = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    rows = released_rows(exports, config, split)
    files = {split: str(exports / "openrlhf" / f"{config}_{split}.parquet")}
    prompts = PromptDataset(load_dataset("parquet", data_files=files, split=split), processor, STRATEGY)
    assert len(prompts) == len(rows) > 0
    for number, row in enumerate(rows):
        _, prompt, label, pictures = prompts[number]
        ids, tensors, opened = process_prompt_with_images(processor, prompt, pictures)
        assert label == row.answers[0]
        assert re.sub(r"(<\|image_pad\|>)+", "<|image_pad|>", processor.tokenizer.decode(ids)) == row.asked()
        patches = int(tensors["image_grid_thw"].prod(dim=1).sum()) if tensors else 0
        assert (len(opened), ids.count(pad) * 4) == (row.pictures, patches)
