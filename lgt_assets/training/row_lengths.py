"""How many tokens rows take: TRL cuts what is longer than its limit, silently."""

from collections.abc import Iterator, Sequence
from typing import Any


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


def longest_reply(rows: Any, processor: Any, column: str) -> int:
    """Tokens of the longest reply alone, with the end of the turn."""
    texts = [row[column][0]["content"] for row in rows.select_columns([column])]
    return max(map(len, processor.tokenizer(texts)["input_ids"])) + 1


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
