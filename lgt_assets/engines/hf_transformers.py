"""The engine for laptops and the embedded model: transformers in this process, on CPU, CUDA or Apple's GPU."""

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.hf_decoding import DecodeLoop
from lgt_assets.engines.hf_model import LoadedModel, load_model
from lgt_assets.engines.hf_prompts import Prompt, PromptEncoder, PromptUnusable
from lgt_assets.engines.model_identity import local_folder, model_identity, require_pinned, template_sha256
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.errors import EngineError

_WINDOW_BATCHES = 4
_Waiting = tuple[str, Request, Prompt]


class HfTransformersEngine:
    """Decodes requests in one ever full batch; a completion comes out as soon as it ends.

    The model is loaded with the first request, so that a run whose answers are all stored imports no torch.

    Raises:
        EngineError: no model lies at the settings' path.
    """

    kind = "hf_transformers"

    def __init__(self, settings: HfTransformersSettings) -> None:
        self._settings = settings
        self._model: LoadedModel | None = None
        self._closed = False
        local_folder(settings.model)

    @cached_property
    def identity(self) -> ModelIdentity:
        """What names the model in every request's key; a hub model's chat template is read from its tokenizer."""
        settings = self._settings
        require_pinned(settings.model, settings.revision)
        return model_identity(
            settings.model,
            revision=settings.revision,
            adapter=settings.adapter,
            min_pixels=settings.min_pixels,
            max_pixels=settings.max_pixels,
            chat_template_sha256="" if local_folder(settings.model) is not None else self._hub_chat_template_sha256(),
        )

    def _hub_chat_template_sha256(self) -> str:
        return template_sha256(self._loaded().tokenizer.chat_template or "")

    def _loaded(self) -> LoadedModel:
        if self._closed:
            raise EngineError("the engine was closed")
        if self._model is None:
            self._model = load_model(self._settings)
        return self._model

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`."""
        pending = iter(requests)
        first = list(islice(pending, 1))
        if not first:
            return
        model = self._loaded()
        encoder = PromptEncoder(model)
        loop = DecodeLoop(model, self._settings.batch_size, self._settings.batch_tokens)
        size = _WINDOW_BATCHES * self._settings.batch_size
        waiting: deque[_Waiting] = deque()
        more = True
        while more or waiting or loop.busy:
            while more and not waiting:
                window = [*first, *islice(pending, size - len(first))]
                first = []
                more = len(window) == size
                for encoded in self._encode_by_length(encoder, window):
                    if isinstance(encoded, RequestFailure):
                        yield encoded
                    else:
                        waiting.append(encoded)
            while waiting and loop.has_room(waiting[0][1], waiting[0][2]):
                yield from self._admit(loop, waiting.popleft())
            if loop.busy:
                yield from self._step(loop)

    def _encode_by_length(self, encoder: PromptEncoder, window: list[Request]) -> Iterator[_Waiting | RequestFailure]:
        """Failures first, then the others by length: neighbours are alike, samples of one prompt stay together."""
        encoded: list[_Waiting] = []
        for request in window:
            key = request_key(self.identity, request)
            try:
                encoded.append((key, request, encoder.encode(request)))
            except PromptUnusable as error:
                yield RequestFailure(key, str(error))
        first_seen: dict[object, int] = {}
        for place, (_key, _request, prompt) in enumerate(encoded):
            first_seen.setdefault(prompt.shared_key, place)
        yield from sorted(
            encoded, key=lambda one: (one[1].sampling.max_tokens, len(one[2].token_ids), first_seen[one[2].shared_key])
        )

    def _admit(self, loop: DecodeLoop, waiting: _Waiting) -> Iterator[Completion | RequestFailure]:
        import torch

        key, request, prompt = waiting
        try:
            yield from loop.admit(key, request, prompt)
        except torch.OutOfMemoryError as error:
            yield RequestFailure(
                key,
                f"out of GPU memory on a prompt of {len(prompt.token_ids)} tokens; lower batch_size or max_pixels: {error}",
            )

    def _step(self, loop: DecodeLoop) -> list[Completion]:
        import torch

        try:
            return loop.step()
        except torch.OutOfMemoryError as error:
            raise EngineError(
                f"out of GPU memory while decoding; lower batch_size or set batch_tokens: {error}"
            ) from error

    def close(self) -> None:
        """Free the model and its memory. Closing twice is fine."""
        self._closed = True
        if self._model is None:
            return
        device, self._model = self._model.device, None
        gc.collect()
        if device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    def __enter__(self) -> "HfTransformersEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
