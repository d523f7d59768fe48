"""vLLM in this process: chunks of requests through ``LLM.chat``, pictures as the files' bytes."""

import base64
import gc
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import groupby, islice
from typing import Any

from lgt_assets.engines.base import Completion, Message, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.image_bytes import ImageUnreadable, media_type, read_image_bytes
from lgt_assets.engines.model_identity import local_folder, model_identity, require_pinned, template_sha256
from lgt_assets.engines.settings import VllmOfflineSettings
from lgt_assets.errors import EngineError

_Chat = list[dict[str, Any]]


class VllmOfflineEngine:
    """Answers chunk by chunk; vLLM batches within a chunk. The model is loaded with the first request.

    Raises:
        EngineError: no model lies at the settings' path.
    """

    kind = "vllm_offline"

    def __init__(self, settings: VllmOfflineSettings) -> None:
        self._settings = settings
        self._llm: Any = None
        self._closed = False
        local_folder(settings.model)

    @cached_property
    def identity(self) -> ModelIdentity:
        """What names the model in every request's key."""
        settings = self._settings
        require_pinned(settings.model, settings.revision)
        local = local_folder(settings.model) is not None
        return model_identity(
            settings.model,
            revision=settings.revision,
            adapter=settings.adapter,
            min_pixels=settings.min_pixels,
            max_pixels=settings.max_pixels,
            chat_template_sha256="" if local else template_sha256(self._loaded().get_tokenizer().chat_template or ""),
        )

    def _loaded(self) -> Any:
        if self._closed:
            raise EngineError("the engine was closed")
        if self._llm is None:
            self._llm = self._load()
        return self._llm

    def _load(self) -> Any:
        from vllm import LLM

        settings = self._settings
        if settings.adapter:
            raise EngineError("vllm_offline takes no adapter yet: merge it into the model, or use hf_transformers")
        limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
        set_limits = {name: value for name, value in limits.items() if value is not None}
        folder = local_folder(settings.model)
        arguments: dict[str, Any] = {
            "model": str(folder) if folder is not None else settings.model,
            "revision": None if folder is not None else settings.revision,
            "dtype": settings.dtype,
            "max_model_len": settings.max_model_len,
            "gpu_memory_utilization": settings.gpu_memory_utilization,
            "tensor_parallel_size": settings.tensor_parallel_size,
            "limit_mm_per_prompt": {"image": settings.images_per_prompt},
            "enable_prefix_caching": True,
            **({"mm_processor_kwargs": set_limits} if set_limits else {}),
            **settings.engine_arguments,
        }
        try:
            return LLM(**arguments)
        except (OSError, ValueError, RuntimeError) as error:
            raise EngineError(f"vLLM cannot load {settings.model!r}: {error}") from error

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`."""
        pending = iter(requests)
        while chunk := list(islice(pending, self._settings.chunk_size)):
            # one call of LLM.chat either continues prefixes or opens turns
            for continued, group in groupby(sorted(chunk, key=_is_continued), key=_is_continued):
                yield from self._answer(list(group), continued)

    def _answer(self, requests: list[Request], continued: bool) -> Iterator[Completion | RequestFailure]:
        chats: list[tuple[Request, _Chat]] = []
        for request in requests:
            try:
                chats.append((request, _chat(request)))
            except ImageUnreadable as error:
                yield RequestFailure(request_key(self.identity, request), str(error))
        if not chats:
            return
        started = time.monotonic()
        try:
            outputs = self._loaded().chat(
                [chat for _request, chat in chats],
                sampling_params=[_sampling_params(request) for request, _chat in chats],
                add_generation_prompt=not continued,
                continue_final_message=continued,
                use_tqdm=False,
            )
        except ValueError as error:
            yield from self._separately([request for request, _chat in chats], continued, error)
            return
        seconds = time.monotonic() - started
        for (request, _turns), output in zip(chats, outputs, strict=True):
            yield _completion(request_key(self.identity, request), output, seconds)

    def _separately(
        self, requests: list[Request], continued: bool, error: ValueError
    ) -> Iterator[Completion | RequestFailure]:
        """VLLM refuses a whole call for one bad prompt (too long, say): find it by halves."""
        if len(requests) == 1:
            yield RequestFailure(
                request_key(self.identity, requests[0]), f"vLLM refuses it: {error}; shorten it or raise max_model_len"
            )
            return
        middle = len(requests) // 2
        yield from self._answer(requests[:middle], continued)
        yield from self._answer(requests[middle:], continued)

    def close(self) -> None:
        """Free the model and the GPU's memory. Closing twice is fine."""
        self._closed = True
        if self._llm is None:
            return
        self._llm = None
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def __enter__(self) -> "VllmOfflineEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _is_continued(request: Request) -> bool:
    return bool(request.prefix)


def _chat(request: Request) -> _Chat:
    turns = [_turn(message) for message in request.messages]
    return [*turns, {"role": "assistant", "content": request.prefix}] if request.prefix else turns


def _turn(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = []
    for image in message.images:
        content = read_image_bytes(image)
        address = f"data:{media_type(content)};base64,{base64.b64encode(content).decode('ascii')}"
        parts.append({"type": "image_url", "image_url": {"url": address}})
    return {"role": message.role, "content": [*parts, {"type": "text", "text": message.text}]}


def _sampling_params(request: Request) -> Any:
    from vllm import SamplingParams

    sampling = request.sampling
    return SamplingParams(
        n=1,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        max_tokens=sampling.max_tokens,
        seed=request.seed,
        stop=list(sampling.stop) or None,
        include_stop_str_in_output=sampling.include_stop,
        bad_words=list(sampling.bad_words) or None,
    )


def _completion(key: str, output: Any, seconds: float) -> Completion | RequestFailure:
    choice = output.outputs[0]
    if choice.finish_reason not in ("stop", "length"):
        return RequestFailure(key, f"vLLM ended it by {choice.finish_reason!r}")
    return Completion(
        request_key=key,
        text=choice.text,
        finish_reason=choice.finish_reason,
        prompt_tokens=len(output.prompt_token_ids or ()),
        cached_tokens=output.num_cached_tokens or 0,
        completion_tokens=len(choice.token_ids),
        seconds=seconds,
    )
