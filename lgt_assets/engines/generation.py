"""Asking a model for all that a shard's asset needs, and for nothing that is stored already."""

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field

from lgt_assets.engines.base import Completion, Engine, Request, RequestFailure, request_key
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.errors import EngineError

_SHOWN_FAILURES = 3


@dataclass
class Answers:
    """What came of the requests of one asset and role.

    Attributes:
        completions: by request_key; one for every request unless it failed.
        sent: requests that went to the engine.
        reused: distinct requests answered from the store.
        failures: requests without a completion.
        prompt_tokens, cached_tokens, completion_tokens: of the requests sent.
        seconds: wall time of the asking.
    """

    completions: dict[str, Completion] = field(default_factory=dict)
    sent: int = 0
    reused: int = 0
    failures: list[RequestFailure] = field(default_factory=list)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


def answer(
    engine: Engine,
    store: ResponseStore,
    requests: Iterable[Request],
    *,
    asset: str,
    role: str,
    on_progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """Answer every request, from the store where it can, and journal each new completion before it counts.

    Args:
        engine: asked once for each distinct request that is not stored.
        store: of the requests' shard.
        requests: equal ones are one.
        asset, role: recorded as who paid.
        on_progress: called with (answered, wanted) after each answer.

    Raises:
        EngineError: the engine cannot answer at all, or requests failed after every retry; what was completed is stored.
        StorageError: completions cannot be stored.
    """
    started = time.monotonic()
    identity = engine.identity
    wanted = {request_key(identity, request): request for request in requests}
    answers = Answers(completions={key: store[key] for key in wanted if key in store})
    answers.reused = len(answers.completions)
    missing = {key: request for key, request in wanted.items() if key not in answers.completions}
    answers.sent = len(missing)
    if missing:
        with closing(engine.generate(iter(missing.values()))) as results:
            for result in results:
                _take(answers, result, missing, store, engine, asset=asset, role=role)
                if on_progress is not None:
                    on_progress(len(answers.completions) + len(answers.failures), len(wanted))
    answers.seconds = time.monotonic() - started
    failed = {failure.request_key for failure in answers.failures}
    for key in wanted.keys() - answers.completions.keys() - failed:
        answers.failures.append(RequestFailure(key, f"engine {engine.kind} returned nothing for it"))
    if answers.failures:
        raise EngineError(_failure_message(answers, len(wanted), asset, role))
    return answers


def _take(
    answers: Answers, result: Completion | RequestFailure, missing: dict[str, Request], store: ResponseStore, engine: Engine, *,
    asset: str, role: str,
) -> None:  # fmt: skip
    if isinstance(result, RequestFailure):
        answers.failures.append(result)
        return
    request = missing.get(result.request_key)
    if request is None or result.request_key in answers.completions:
        raise EngineError(
            f"engine {engine.kind} answered request {result.request_key[:16]}… which was not asked, or twice"
        )
    store.append(request, result, asset=asset, role=role, engine_kind=engine.kind, identity=engine.identity)
    answers.completions[result.request_key] = store[result.request_key]
    answers.prompt_tokens += result.prompt_tokens
    answers.cached_tokens += result.cached_tokens
    answers.completion_tokens += result.completion_tokens


def _failure_message(answers: Answers, wanted: int, asset: str, role: str) -> str:
    failures = sorted(answers.failures, key=lambda failure: failure.request_key)
    shown = "; ".join(f"{failure.request_key[:16]}…: {failure.error}" for failure in failures[:_SHOWN_FAILURES])
    more = f" (and {len(failures) - _SHOWN_FAILURES} more)" if len(failures) > _SHOWN_FAILURES else ""
    return (
        f"{len(failures)} of {wanted} requests failed for {asset} ({role}): {shown}{more}. "
        f"The {len(answers.completions)} completed are kept; re-materialize to retry only those that failed."
    )
