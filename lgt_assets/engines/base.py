"""What every engine takes and gives: small frozen values, and the key under which a completion is kept."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol, runtime_checkable

from lgt_assets.identity import canonical_json

_KEY = "_key"  # where frozen values keep their part of a key; no field, so neither compared nor copied by replace()


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

    A completion ends before any of ``stop``; with ``include_stop`` the stop string stays in the text. Where ``choice`` is
    not empty, the completion is one of these texts (unless ``max_tokens`` cuts it).
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    bad_words: tuple[str, ...] = ()
    choice: tuple[str, ...] = ()


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
    """What came back for one request; ``finish_reason`` is ``stop`` or ``length``; ``seconds`` is wall time in flight.

    ``endpoint`` is the address of the server that answered; None where the model ran in this process.
    """

    request_key: str
    text: str
    finish_reason: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    endpoint: str | None = None


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


def sampling_fields(sampling: Sampling) -> dict[str, object]:
    """``sampling`` as it enters keys and records: no ``choice`` where none is asked for, so that keys stay what they were."""
    named = {field.name: getattr(sampling, field.name) for field in fields(sampling)}
    if not sampling.choice:
        del named["choice"]
    return named


@runtime_checkable
class KeepingEngine(Engine, Protocol):
    """An engine with threads of its own, in which results can be kept without a change of threads."""

    def generate_kept(
        self, requests: Iterable[Request], keep: Callable[[Completion | RequestFailure], None]
    ) -> Iterator[Completion | RequestFailure]:
        """As ``generate``, but give each result to ``keep``, one at a time, before its slot takes another request.

        What ``keep`` raises ends the iteration.
        """
        ...


def request_key(identity: ModelIdentity, request: Request) -> str:
    """sha256 (64 hex) of all that decides the completion of ``request`` by the model ``identity``.

    It is :func:`lgt_assets.identity.digest` of identity, messages, prefix, sampling, seed and sample index; texts that many
    requests share are encoded once, and a request keeps its key for the next who asks (planning, engine and store do).
    """
    known = request.__dict__.get(_KEY)
    if known is not None and known[0] is identity:
        return known[1]
    parts = (
        _encoded(identity, asdict),
        f"[{','.join([_encoded_message(message) for message in request.messages])}]",
        canonical_json(request.prefix),
        _encoded(request.sampling, sampling_fields),
        _encoded_number(request.seed),
        _encoded_number(request.sample_index),
    )
    key = hashlib.sha256(f"[{','.join(parts)}]".encode("utf-8", "surrogatepass")).hexdigest()
    request.__dict__[_KEY] = (identity, key)
    return key


def _encoded_message(message: Message) -> str:
    """The canonical JSON of [role, text, pictures], put together here: an encoder costs more to call than to run."""
    known = message.__dict__.get(_KEY)
    if known is None:
        pictures = ",".join([canonical_json(image.sha256) for image in message.images])
        known = f"[{canonical_json(message.role)},{canonical_json(message.text)},[{pictures}]]"
        message.__dict__[_KEY] = known
    return known


def _encoded_number(number: int) -> str:
    return str(number) if type(number) is int else canonical_json(number)


def _encoded(value: Any, parts: Callable[[Any], object]) -> str:
    """The canonical JSON of a frozen value's parts, kept beside its fields (by equality would not do: 1 == 1.0)."""
    known = value.__dict__.get(_KEY)
    if known is None:
        known = value.__dict__[_KEY] = canonical_json(parts(value))
    return known
