"""Models as lmms-eval calls them, for CPUs: the packaged Qwen2.5-VL asks for bfloat16, decord and a GPU."""

from pathlib import Path

import torch
from lmms_eval.api.instance import Instance
from lmms_eval.api.model import lmms
from transformers import AutoModelForImageTextToText, AutoProcessor


class _Model(lmms):
    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Instance]) -> list[str]:
        raise NotImplementedError


class Embedded(_Model):
    """The embedded model by transformers' own ``generate``, one question at a time."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._processor = AutoProcessor.from_pretrained(folder)
        self._model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()

    def generate_until(self, requests: list[Instance]) -> list[str]:
        return [self._said(*request.args) for request in requests]

    def _said(self, text: str, settings: dict, visual_of, doc_id: int, task: str, split: str) -> str:
        pictures = visual_of(self.task_dict[task][split][doc_id])
        content = [*({"type": "image"} for _ in pictures), {"type": "text", "text": text}]
        turn = self._processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = self._processor(text=[turn], images=pictures, return_tensors="pt")
        with torch.inference_mode():
            written = self._model.generate(**inputs, max_new_tokens=settings["max_new_tokens"], do_sample=False)
        return self._processor.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)[0]


class Scripted(_Model):
    """Says one thing to all, and remembers what it was asked and with what settings."""

    def __init__(self, reply: str) -> None:
        super().__init__()
        self.reply = reply
        self.asked: list[tuple[str, dict]] = []

    def generate_until(self, requests: list[Instance]) -> list[str]:
        self.asked += [request.args[:2] for request in requests]
        return [self.reply] * len(requests)
