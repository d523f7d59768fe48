"""The processor that TRL asks for: tokenizer and pictures without videos, so that no torchvision is needed."""

from functools import cache
from pathlib import Path
from typing import Any


@cache
def _picture_processor_class() -> type:
    from transformers import ProcessorMixin
    from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor

    class PictureProcessor(Qwen2_5_VLProcessor):
        """Qwen2.5-VL's, without its video processor, which exists only beside torchvision."""

        def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **_: object) -> None:
            self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
            self.image_token_id, self.video_token_id = map(
                tokenizer.convert_tokens_to_ids, (self.image_token, self.video_token)
            )
            # Not the parent's, which passes a video processor on.
            ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    return PictureProcessor


def picture_processor(folder: Path, padding_side: str = "right") -> Any:
    """The processor of the embedded architecture's model in ``folder``; GRPO's prompts are padded on the left."""
    from transformers import AutoImageProcessor, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side=padding_side)
    image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    return _picture_processor_class()(
        image_processor=image_processor, tokenizer=tokenizer, chat_template=tokenizer.chat_template
    )
