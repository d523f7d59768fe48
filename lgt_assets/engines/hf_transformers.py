"""The engine for laptops and the embedded model: transformers in this process, on CPU, CUDA or Apple's GPU."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.hf_batch import Batch, Waiting
from lgt_assets.engines.hf_model import load_model
from lgt_assets.engines.hf_prompts import PromptEncoder, PromptUnusable
from lgt_assets.engines.lazy_model import LazyModel
from lgt_assets.engines.model_identity import local_folder, model_identity, require_pinned, template_sha256
from lgt_assets.engines.settings import HfTransformersSettings

_WINDOW_BATCHES = 4


class HfTransformersEngine:
    """Decodes requests in one ever full batch; a completion comes out as soon as it ends.

    The model is loaded with the first request, so that a run whose answers are all stored imports no torch.

    Raises:
        EngineError: no model lies at the settings' path.
    """

    kind = "hf_transformers"

    def __init__(self, settings: HfTransformersSettings) -> None:
        self._settings = settings
        self._model = LazyModel(lambda: load_model(settings))
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
        return template_sha256(self._model.get().tokenizer.chat_template or "")

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`.

        Requests are taken four batches at a time and ordered by length, then decoded in a batch that is refilled at every
        step: with no row waiting for a slower one there is nothing to pad on the left, and a row's sums run over the same
        columns whoever its neighbours are. Out of memory, the batch is halved and its rows start again (their texts depend
        on their seeds alone, so nothing changes but the time); a request that is too large alone fails.
        """
        pending = iter(requests)
        first = list(islice(pending, 1))
        if not first:
            return
        model = self._model.get()
        encoder = PromptEncoder(model)
        batch = Batch(model, self._settings.batch_size, self._settings.batch_tokens)
        size = _WINDOW_BATCHES * self._settings.batch_size
        more = True
        while more or batch.busy:
            while more and not batch.waiting:
                window = [*first, *islice(pending, size - len(first))]
                first = []
                more = len(window) == size
                for encoded in self._encode_by_length(encoder, window):
                    if isinstance(encoded, RequestFailure):
                        yield encoded
                    else:
                        batch.waiting.append(encoded)
            if batch.busy:
                yield from batch.advance()

    def _encode_by_length(self, encoder: PromptEncoder, window: list[Request]) -> Iterator[Waiting | RequestFailure]:
        """Failures first, then the others by length: neighbours are alike, samples of one prompt stay together."""
        encoded: list[Waiting] = []
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

    def close(self) -> None:
        """Free the model and its memory. Closing twice is fine."""
        self._model.close()

    def __enter__(self) -> "HfTransformersEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
