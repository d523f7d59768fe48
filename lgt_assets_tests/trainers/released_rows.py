"""What a release's rows say, read from the format ``rows``, which shares nothing with the trainers' formats: each must hold this.

Imports nothing of lgt_assets, which the trainers' environments lack; pyarrow is in all of them.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as parquet

CONFIGS = {
    "sft": ("sft_stage1", "sft_stage2", "sft_stage2_merged"),
    "dpo": ("dpo_stage1", "dpo_stage2"),
    "rl": ("rl_stage1", "rl_stage2"),
}
SPLITS = ("train", "validation")


@dataclass(frozen=True, order=True)
class ReleasedRow:
    """One row: the user's text, how many pictures it shows, and the texts that answer it.

    ``answers``: the completion (SFT), chosen and rejected (DPO), or the ground truth, its verification and the choices (RL).
    """

    row_id: str
    prompt: str
    pictures: int
    answers: tuple[str, ...]

    def chat(self, answer: str) -> str:
        """The whole chat in Qwen2.5-VL's format, one placeholder a picture."""
        return self.asked() + answer + "<|im_end|>\n"

    def asked(self) -> str:
        """The chat up to where the assistant goes on."""
        pictures = "<|vision_start|><|image_pad|><|vision_end|>" * self.pictures
        return (
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
            f"<|im_start|>user\n{pictures}{self.prompt}<|im_end|>\n<|im_start|>assistant\n"
        )


def released_rows(exports: Path, config: str, split: str) -> list[ReleasedRow]:
    """Rows of a config's split, in the order that all formats keep."""
    return [_row(row) for row in parquet.read_table(exports / "rows" / config / f"{split}.parquet").to_pylist()]


def _row(row: dict) -> ReleasedRow:
    pictures = len(row["images"])
    if "example_id" in row:
        (user, assistant) = row["messages"]
        return ReleasedRow(row["example_id"], user["content"], pictures, (assistant["content"],))
    if "pair_id" in row:
        (user,) = row["prompt"]
        return ReleasedRow(row["pair_id"], user["content"], pictures, (row["chosen"], row["rejected"]))
    (user,) = row["messages"]
    truth = (row["ground_truth"], row["verification"], *row["choices_shown"])
    return ReleasedRow(row["prompt_id"], user["content"], pictures, truth)
