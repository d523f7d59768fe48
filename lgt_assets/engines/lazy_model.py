"""A model that is loaded when it is first wanted, once, and freed at the end: a run whose answers are stored imports no torch."""

import gc
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from lgt_assets.errors import EngineError

if TYPE_CHECKING:
    import torch


class OnDevice(Protocol):
    """What lies on a device of torch."""

    device: "torch.device"


Model = TypeVar("Model", bound=OnDevice)


class LazyModel(Generic[Model]):
    """The model behind an engine.

    Args:
        load: loads it; called at most once.
    """

    def __init__(self, load: Callable[[], Model]) -> None:
        self._load = load
        self._model: Model | None = None
        self._closed = False
        self._loading = threading.Lock()

    @property
    def is_loaded(self) -> bool:
        """Whether it lies in memory."""
        return self._model is not None

    def get(self) -> Model:
        """The model; several threads may ask.

        Raises:
            EngineError: it was closed, or cannot be loaded.
        """
        with self._loading:
            if self._closed:
                raise EngineError("the engine was closed")
            if self._model is None:
                self._model = self._load()
            return self._model

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
