"""What a release's rows say, read from the format ``rows``, which shares nothing with the trainers' formats: each must hold this.

Imports nothing of lgt_assets, which the trainers' environments lack; pyarrow is in all of them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
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
    """One row: the user's text, the sha256 of each picture it shows, and the texts that answer it.

    ``answers``: the completion (SFT), chosen and rejected (DPO), or the ground truth, its verification and the choices (RL).
    """

    row_id: str
    prompt: str
    shown: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def pictures(self) -> int:
        """How many pictures it shows."""
        return len(self.shown)

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
    sha256s = json.loads((exports / "pictures.json").read_text())
    table = parquet.read_table(exports / "rows" / config / f"{split}.parquet")
    return [_row(row, sha256s) for row in table.to_pylist()]


def hashes(pictures: Iterable[bytes]) -> tuple[str, ...]:
    """As :attr:`ReleasedRow.shown` has them."""
    return tuple(hashlib.sha256(content).hexdigest() for content in pictures)


def _row(row: dict, sha256s: Mapping[str, str]) -> ReleasedRow:
    shown = tuple(sha256s[image_id] for image_id in row["images"])
    if "example_id" in row:
        (user, assistant) = row["messages"]
        return ReleasedRow(row["example_id"], user["content"], shown, (assistant["content"],))
    if "pair_id" in row:
        (user,) = row["prompt"]
        return ReleasedRow(row["pair_id"], user["content"], shown, (row["chosen"], row["rejected"]))
    (user,) = row["messages"]
    truth = (row["ground_truth"], row["verification"], *row["choices_shown"])
    return ReleasedRow(row["prompt_id"], user["content"], shown, truth)
