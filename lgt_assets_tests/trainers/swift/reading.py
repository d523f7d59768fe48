"""The exports for ms-swift, as their files read and as ms-swift loads and encodes them."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

EXPORTS = Path(os.environ.get("LGT_TRAINER_EXPORTS", ""))
EXPORT, STRUCTURED = EXPORTS / "swift", EXPORTS / "structured"
CONFIGS = sorted((EXPORT / "configs").glob("*.yaml"))
WEIGHTS = Path(__file__).resolve().parents[3] / "lgt_assets" / "embedded" / "weights"
MASKED = -100
UNCUT = 32_768


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def processor() -> Any:
    from swift import get_processor

    return get_processor(str(WEIGHTS), model_type="qwen2_5_vl")


def template(mode: str, max_length: int = UNCUT) -> Any:
    """ms-swift's template of Qwen2.5-VL; ``mode`` is ``train``, or ``rlhf`` for pairs."""
    from swift import get_template

    return with_small_vocabulary(get_template(processor(), template_type="qwen2_5_vl", max_length=max_length), mode)


def with_small_vocabulary(made: Any, mode: str) -> Any:
    """The template with the embedded model's number for a picture's token: the published model's is written into ms-swift."""
    made.image_token_id = made.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    made.set_mode(mode)
    return made


def load(*files: Path, strict: bool = True) -> Any:
    """The rows as `swift sft --strict true` reads them, with all columns."""
    from swift.dataset import load_dataset

    loaded, _ = load_dataset([str(file) for file in files], strict=strict, remove_unused_columns=False)
    return loaded


def prompt_text(messages: list[dict[str, str]]) -> str:
    """The prompt in Qwen2.5-VL's own chat format, one pad a picture."""
    turns = []
    for message in messages:
        first, *others = message["content"].split("<image>")
        parts = [{"type": "text", "text": first}]
        for text in others:
            parts += [{"type": "image"}, {"type": "text", "text": text}]
        turns.append({"role": message["role"], "content": parts})
    chat_format = (WEIGHTS / "chat_template.jinja").read_text()
    return processor().tokenizer.apply_chat_template(
        turns, chat_template=chat_format, tokenize=False, add_generation_prompt=True
    )


def text_of(ids: list[int]) -> str:
    """Decoded, with one pad a picture."""
    return re.sub(r"(<\|image_pad\|>)+", "<|image_pad|>", processor().tokenizer.decode(ids))


def trained_text(labels: list[int]) -> str:
    return processor().tokenizer.decode([label for label in labels if label != MASKED])
