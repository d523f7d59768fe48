"""How many tokens rows take: TRL cuts what is longer than its limit, silently."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from lgt_assets.errors import ReleaseError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.learners import processor_of


def row_limit(
    export: Path, configs: Sequence[str], rows: Any, replies: Sequence[str], start: Path, learner: PostTrainingSettings
) -> int:
    """Tokens that no row is longer than: measured for the student, else what the release's ready configurations say.

    Raises:
        ReleaseError: the export has no ready configuration of a config.
    """
    if learner.is_student:
        return longest(rows, processor_of(start, learner), replies)
    limits = []
    for config in configs:
        path = export / "configs" / "trl" / learner.method / f"{config}.yaml"
        if path.is_file():
            limits.append(yaml.safe_load(path.read_text())["max_length"])
    if not limits:
        raise ReleaseError(
            f"{export} has no ready configuration of {', '.join(configs)}, which says how long its rows are"
        )
    return max(limits)


def longest(rows: Any, processor: Any, replies: Sequence[str]) -> int:
    """Tokens of the longest row with its pictures and one of its replies, as the model's own processor counts them.

    Args:
        rows: of an exported config.
        processor: the model's.
        replies: the columns that hold a reply: ``completion``, or ``chosen`` and ``rejected``.
    """
    most = 0
    for row in rows.select_columns(["images", "prompt", *replies]):
        pictures = sum(_picture_tokens(row["images"], processor)) - len(row["images"])  # each has a token in the text
        for reply in replies:
            text = processor.tokenizer.apply_chat_template(_chat(row, reply), tokenize=False)
            most = max(most, len(processor.tokenizer(text)["input_ids"]) + pictures)
    return most


def _chat(row: dict, reply: str) -> list[dict]:
    (user,), (assistant,) = row["prompt"], row[reply]
    content = [*({"type": "image"} for _ in row["images"]), {"type": "text", "text": user["content"]}]
    return [
        {"role": "user", "content": content},
        assistant | {"content": [{"type": "text", "text": assistant["content"]}]},
    ]


def _picture_tokens(images: Sequence[Any], processor: Any) -> Iterator[int]:
    merged = processor.image_processor.merge_size**2
    for image in images:
        yield int(processor.image_processor(images=[image])["image_grid_thw"][0].prod()) // merged
