"""A model in vLLM: loading it, and giving all its memory back."""

import gc
from contextlib import suppress
from typing import Any

from lgt_assets.engines.base import Request
from lgt_assets.engines.model_identity import local_folder
from lgt_assets.engines.settings import VllmOfflineSettings
from lgt_assets.engines.vllm_prompts import PromptRenderer, sampling_params
from lgt_assets.errors import EngineError


class LoadedVllm:
    """vLLM's engine, fed and stepped by hand.

    Attributes:
        llm: vLLM's own front door, which we go round.
        slots: sequences it decodes together.

    Raises:
        EngineError: vLLM cannot load the model; what it had taken is given back.
    """

    def __init__(self, settings: VllmOfflineSettings) -> None:
        from vllm import LLM

        try:
            self.llm: Any = LLM(**_arguments(settings))
        except (OSError, ValueError, RuntimeError, AssertionError) as error:
            _give_back()
            raise EngineError(
                f"vLLM cannot load {settings.model!r}: {error}. Out of memory? Lower gpu_memory_utilization, max_model_len or "
                "max_num_seqs, or raise tensor_parallel_size."
            ) from error
        self._engine = self.llm.llm_engine
        self._prompts: Any = PromptRenderer(self._engine.renderer)
        self.slots: int = self._engine.vllm_config.scheduler_config.max_num_seqs

    @property
    def chat_template(self) -> object:
        """The tokenizer's chat template: a text, or several named ones."""
        return self._engine.get_tokenizer().chat_template or ""

    def add(self, number: str, request: Request) -> None:
        """Queue a request; its output will carry ``number``.

        Raises:
            ImageUnreadable: a picture is missing, changed or cannot be decoded.
            VLLMClientError, ValueError: the model cannot take the request.
        """
        self._engine.add_request(number, self._prompts.render(request), sampling_params(request))

    def step(self) -> list[Any]:
        """Go on until something may have finished; the ``RequestOutput`` of what did.

        Raises:
            RuntimeError: vLLM's process was killed; other errors of a dying engine are vLLM's and torch's own.
        """
        self._await_output()
        return [output for output in self._engine.step() if output.finished]

    def _await_output(self) -> None:
        """Where the engine is a process of its own, wait here: vLLM itself would wait for ever for one that was killed."""
        core = self._engine.engine_core
        outputs = getattr(core, "outputs_queue", None)
        if outputs is None:
            return
        with outputs.not_empty:
            while not outputs.queue:
                if core.resources.engine_dead:
                    raise RuntimeError("vLLM's process is gone; was it killed for memory?")
                outputs.not_empty.wait(1.0)

    def abort(self, numbers: list[str]) -> None:
        """Forget requests; they give no output any more."""
        self._engine.abort_request(numbers)

    def free(self) -> None:
        """End vLLM's processes and give the memory back, even where the engine is already dead."""
        engine = self._engine
        self._engine = self.llm = self._prompts = None
        with suppress(RuntimeError, OSError):  # a dead engine's worker may be gone already
            engine.engine_core.shutdown()
        engine.renderer.shutdown()
        del engine
        _give_back()


def _arguments(settings: VllmOfflineSettings) -> dict[str, Any]:
    if settings.adapter:
        raise EngineError("vllm_offline takes no adapter yet: merge it into the model, or use hf_transformers")
    folder = local_folder(settings.model)
    pixel_limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
    optional = {
        "max_num_seqs": settings.max_num_seqs,
        "mm_processor_kwargs": {name: value for name, value in pixel_limits.items() if value is not None},
    }
    return {
        "model": str(folder) if folder is not None else settings.model,
        "revision": None if folder is not None else settings.revision,
        "dtype": settings.dtype,
        "max_model_len": settings.max_model_len,
        "gpu_memory_utilization": settings.gpu_memory_utilization,
        "tensor_parallel_size": settings.tensor_parallel_size,
        "limit_mm_per_prompt": {"image": settings.images_per_prompt},
        "enable_prefix_caching": True,
        **{name: value for name, value in optional.items() if value},
        **_for_cpu(),
        **settings.engine_arguments,
    }


def _for_cpu() -> dict[str, bool]:
    """On CPUs vLLM dies of a seeded request whose prompt is read in pieces ("CPU Generator does not use offset")."""
    from vllm.platforms import current_platform

    return {"enable_chunked_prefill": False} if current_platform.is_cpu() else {}


def _give_back() -> None:
    """The process group and torch's cached memory; what died half-way is collected first."""
    import torch
    from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

    gc.collect()
    cleanup_dist_env_and_memory()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
