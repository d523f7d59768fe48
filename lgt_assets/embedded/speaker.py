"""Free generation by the embedded model as transformers loads it, through its real processor and chat template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lgt_assets.errors import EngineError

if TYPE_CHECKING:
    from PIL import Image

LONGEST_REPLY = 320


class Speaker:
    """The model as transformers loads it, answering many prompts at once."""

    def __init__(self, weights: Path, threads: int, batch: int = 128, longest_reply: int = LONGEST_REPLY) -> None:
        import torch
        from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

        torch.set_num_threads(threads)
        if not (weights / "model.safetensors").exists():
            raise EngineError(f"no model in {weights}: give the folder that `lgt embedded train` wrote")
        self._batch, self._longest = batch, longest_reply
        self._model = AutoModelForImageTextToText.from_pretrained(weights, dtype=torch.float32).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(weights, padding_side="left")
        self._processor = AutoImageProcessor.from_pretrained(weights, backend="pil")
        self.spoken: Callable[[int], None] = lambda count: None

    def replies(
        self,
        texts: list[str],
        pictures: list[Image.Image] | None = None,
        prefixes: list[str] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """The replies to user texts, in their order; with pictures, each before its text; each after its prefix."""
        import torch

        torch.manual_seed(seed)
        prefixes = prefixes or [""] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]) + len(prefixes[i]))
        replies = [""] * len(texts)
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            shown = None if pictures is None else [pictures[i] for i in rows]
            for i, reply in zip(
                rows, self._generate([(texts[i], prefixes[i]) for i in rows], shown, temperature), strict=True
            ):
                replies[i] = reply
            self.spoken(len(rows))
        return replies

    def _generate(self, prompts: list[tuple[str, str]], pictures, temperature: float) -> list[str]:
        import torch

        inputs, places = {}, 0
        if pictures is not None:
            inputs = dict(self._processor(images=pictures, return_tensors="pt"))
            places = int(inputs["image_grid_thw"][0].prod()) // 4
        turns = [self._turn(text, places) + prefix for text, prefix in prompts]
        encoded = self._tokenizer(turns, return_tensors="pt", padding=True)
        if pictures is not None:
            inputs["mm_token_type_ids"] = (encoded["input_ids"] == self._model.config.image_token_id).long()
        sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                max_new_tokens=self._longest,
                cache_implementation="static",  # a growing one is copied at every token
                disable_compile=True,
                **inputs,
                **sampling,
            )
        return self._tokenizer.batch_decode(output[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)

    def _turn(self, text: str, places: int) -> str:
        content = [{"type": "image"}] if places else []
        messages = [{"role": "user", "content": [*content, {"type": "text", "text": text}]}]
        turn = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return turn.replace("<|image_pad|>", "<|image_pad|>" * places)
