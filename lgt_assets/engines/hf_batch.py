"""A decode loop with the prompts that wait for a free slot; it shrinks where the memory does not suffice."""

import gc
import logging
from collections import deque

from lgt_assets.engines.base import Completion, Request, RequestFailure
from lgt_assets.engines.hf_decoding import DecodeLoop
from lgt_assets.engines.hf_model import LoadedModel
from lgt_assets.engines.hf_prompts import Prompt

Waiting = tuple[str, Request, Prompt]
_log = logging.getLogger(__name__)


class Batch:
    """Keeps a decode loop full from ``waiting``.

    Args:
        size: sequences decoded together, at first.
        tokens: most cache positions held at once; None: no bound.
    """

    def __init__(self, model: LoadedModel, size: int, tokens: int | None) -> None:
        self._model = model
        self._most = self._size = size
        self._tokens = tokens
        self._loop = DecodeLoop(model, size, tokens)
        self._inside: list[Waiting] = []
        self.waiting: deque[Waiting] = deque()

    @property
    def busy(self) -> bool:
        """Whether anything is decoded or waits for it."""
        return bool(self.waiting) or self._loop.busy

    def advance(self) -> list[Completion | RequestFailure]:
        """Fill free slots and write one token in every row; what ended with it."""
        results: list[Completion | RequestFailure] = []
        try:
            while self.waiting and self._loop.has_room(self.waiting[0][1], self.waiting[0][2]):
                self._inside.append(self.waiting.popleft())
                results += self._loop.admit(*self._inside[-1])
            if self._loop.busy:
                results += self._loop.step()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).partition("\n")[0]
        else:
            reason = ""
        for result in results:
            self._inside.remove(next(one for one in self._inside if one[0] == result.request_key))
        # outside the handler, whose traceback holds the tensors that must go
        return [*results, *self._shrink(reason)] if reason else results

    def _shrink(self, reason: str) -> list[RequestFailure]:
        """Start the rows again in a loop of half the size; a row that was alone is given up."""
        rows, self._inside = self._inside, []
        alone = len(rows) == 1
        self._size = self._most if alone else max(1, len(rows) // 2)
        self._loop = DecodeLoop(self._model, self._size, self._tokens)
        _free(self._model)
        if alone:
            key, _request, prompt = rows[0]
            advice = "lower max_tokens or max_pixels, or take dtype bfloat16"
            said = f"out of memory on a prompt of {len(prompt.token_ids)} tokens alone; {advice}: {reason}"
            return [RequestFailure(key, said)]
        self.waiting.extendleft(reversed(rows))
        _log.warning(
            "out of memory with %d rows: going on with %d; lower batch_size (%s)", len(rows), self._size, reason
        )
        return []


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory, on whatever device."""
    import torch

    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in said or "can't allocate memory" in said


def _free(model: LoadedModel) -> None:
    import torch

    gc.collect()
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
    elif model.device.type == "mps":
        torch.mps.empty_cache()
