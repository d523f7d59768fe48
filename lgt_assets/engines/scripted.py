"""A fake engine for unit tests: no model, only the answers it is given."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.errors import EngineError

Answer = str | RequestFailure
SCRIPTED_IDENTITY = ModelIdentity(name="scripted", revision="0")


class ScriptedEngine:
    """A FAKE that answers from a script; for unit tests alone, no profile of the project uses it.

    Args:
        script: one text for all; or by the text of the last message (plus prefix); or a function of the request, which
            may return a RequestFailure or raise EngineError.
        identity: the model it pretends to be.
        reverse: answer each batch of ``batch_size`` requests from the last to the first.
        batch_size: requests pulled before any is answered.
    """

    kind = "scripted"

    def __init__(
        self,
        script: str | Mapping[str, str] | Callable[[Request], Answer] = "",
        *,
        identity: ModelIdentity = SCRIPTED_IDENTITY,
        reverse: bool = False,
        batch_size: int = 8,
    ) -> None:
        self.identity = identity
        self.requests: list[Request] = []
        self.closed = False
        self._script = script
        self._reverse = reverse
        self._batch_size = batch_size

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`."""
        if self.closed:
            raise EngineError("the scripted engine was closed")
        batch: list[Request] = []
        for request in requests:
            batch.append(request)
            if len(batch) == self._batch_size:
                yield from self._answers(batch)
                batch = []
        yield from self._answers(batch)

    def _answers(self, batch: list[Request]) -> Iterator[Completion | RequestFailure]:
        for request in reversed(batch) if self._reverse else batch:
            self.requests.append(request)
            key = request_key(self.identity, request)
            answer = self._answer(request)
            if isinstance(answer, RequestFailure):
                yield RequestFailure(key, answer.error)
            else:
                tokens = len(answer.split())
                yield Completion(
                    key, answer, "stop", prompt_tokens=len(request.messages[-1].text.split()), completion_tokens=tokens
                )

    def _answer(self, request: Request) -> Answer:
        if callable(self._script):
            return self._script(request)
        if isinstance(self._script, str):
            return self._script
        rendered = request.messages[-1].text + request.prefix
        return (
            self._script[rendered]
            if rendered in self._script
            else RequestFailure("", f"the script has no answer to {rendered[:80]!r}")
        )

    def close(self) -> None:
        """Nothing to free; later requests are errors."""
        self.closed = True

    def __enter__(self) -> "ScriptedEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
