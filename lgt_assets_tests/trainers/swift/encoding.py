"""Rows as ms-swift loads them, and as its template of Qwen2.5-VL encodes them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MASKED = -100
UNCUT = 32_768


def load(*files: Path | str, strict: bool = True) -> Any:
    """Rows with all their columns, as `swift rlhf --strict true` loads them."""
    from swift.dataset import load_dataset

    return load_dataset([str(file) for file in files], strict=strict, remove_unused_columns=False)[0]


def with_its_own_token(template: Any) -> Any:
    """The template with the embedded model's id of a picture's token; ms-swift has the published model's written into it."""
    template.image_token_id = template.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    return template


@dataclass(frozen=True)
class Encoder:
    """ms-swift's template for Qwen2.5-VL with the embedded model's tokens."""

    template: Any

    def encode(self, row: dict[str, Any]) -> dict[str, Any]:
        """What a trainer gets of a row; pictures' paths begin in the working directory, or in ROOT_IMAGE_DIR."""
        return self.template.encode(dict(row))

    def text(self, ids: list[int]) -> str:
        """Decoded, with one placeholder a picture."""
        return re.sub(r"(<\|image_pad\|>)+", "<|image_pad|>", self.template.tokenizer.decode(ids))

    def trained(self, labels: list[int]) -> str:
        """What the labels train on, decoded."""
        return self.template.tokenizer.decode([label for label in labels if label != MASKED])

    def pictures(self, ids: list[int], grid: Any) -> int:
        """How many pictures the tokens have room for; the patches of each are as many as the template encoded."""
        processor, pad = self.template.processor, self.template.image_token_id
        patches = 0 if grid is None else int(grid.prod(dim=1).sum())
        assert ids.count(pad) * processor.image_processor.merge_size**2 == patches
        count = ids.count(self.template.tokenizer.convert_tokens_to_ids("<|vision_start|>"))
        assert count == (0 if grid is None else len(grid))
        return count


@cache
def _processor(folder: Path) -> Any:
    from swift import get_processor

    return get_processor(str(folder), model_type="qwen2_5_vl")


def encoder(folder: Path, mode: str, max_length: int = UNCUT) -> Encoder:
    """For the model in ``folder``; ``mode`` is ``train``, or ``rlhf`` for pairs."""
    from swift import get_template

    template = get_template(_processor(folder), template_type="qwen2_5_vl", max_length=max_length)
    template.set_mode(mode)
    return Encoder(with_its_own_token(template))
