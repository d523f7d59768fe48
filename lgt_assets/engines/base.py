"""What every engine takes and gives: small frozen values, and the key under which a completion is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

from lgt_assets.identity import digest


@dataclass(frozen=True)
class ImageReference:
    """A picture by content: ``sha256`` of the file's bytes, ``uri`` where they lie (never part of a key)."""

    sha256: str
    uri: str


@dataclass(frozen=True)
class Message:
    """One chat message; ``images`` stand before the text."""

    role: str
    text: str
    images: tuple[ImageReference, ...] = ()


@dataclass(frozen=True)
class Sampling:
    """How to sample. ``temperature`` 0 is greedy; ``max_tokens`` counts new tokens; ``top_k`` 0 is off.

    A completion ends before any of ``stop``; with ``include_stop`` the stop string stays in the text.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    bad_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """One sample wanted of one prompt.

    Attributes:
        messages: the chat so far, without the assistant turn that is to be written.
        prefix: start of the assistant turn, continued by the model; the completion's text does not repeat it.
        sampling: shared by all samples of a prompt.
        seed: in [0, 2**31), from the row's id.
        sample_index: which sample of this prompt, from 0.
        template_hash: of the prompt's template, for provenance; not part of the key (the rendered text is).
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int
    prefix: str = ""
    sample_index: int = 0
    template_hash: str = ""


@dataclass(frozen=True)
class ModelIdentity:
    """What decides a completion besides the request. Engine, endpoint and dtype are recorded, not part of the key."""

    name: str
    revision: str
    chat_template_sha256: str = ""
    adapter: str = ""
    min_pixels: int = 0
    max_pixels: int = 0


@dataclass(frozen=True)
class Completion:
    """What came back for one request; ``finish_reason`` is ``stop`` or ``length``; ``seconds`` is wall time in flight."""

    request_key: str
    text: str
    finish_reason: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RequestFailure:
    """A request that got no completion after every retry; ``error`` says why and what to do."""

    request_key: str
    error: str


@runtime_checkable
class Engine(Protocol):
    """Answers requests in any order. Engines hold a model or connections: close them, or use them as a context."""

    kind: str
    identity: ModelIdentity

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Yield one result per request, in completion order; each names its request by :func:`request_key`.

        Raises:
            EngineError: nothing can be answered at all (the endpoint is gone, the model does not load).
        """
        ...

    def close(self) -> None:
        """Free the model, its memory and its connections. Closing twice is fine."""
        ...


def request_key(identity: ModelIdentity, request: Request) -> str:
    """sha256 (64 hex) of all that decides the completion of ``request`` by the model ``identity``."""
    messages = [
        [message.role, message.text, [image.sha256 for image in message.images]] for message in request.messages
    ]
    return digest(
        asdict(identity), messages, request.prefix, asdict(request.sampling), request.seed, request.sample_index
    )
