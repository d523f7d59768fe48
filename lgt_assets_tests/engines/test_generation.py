"""Asking: once for each distinct request, never for what is stored."""

from pathlib import Path

import pytest

from lgt_assets.engines.base import Request, RequestFailure, request_key
from lgt_assets.engines.generation import answer
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.scripted import SCRIPTED_IDENTITY, ScriptedEngine
from lgt_assets.errors import EngineError
from lgt_assets_tests.engines.requests import request

REQUESTS = [request(f"question {number}") for number in range(20)]


def ask(engine: ScriptedEngine, store: ResponseStore, requests: list[Request], **kwargs: object):
    return answer(engine, store, requests, asset="seed_questions", role="questioner", **kwargs)


@pytest.mark.parametrize("reverse", [False, True])
def test_equal_requests_are_sent_once_and_stored_ones_never(tmp_path: Path, reverse: bool) -> None:
    engine = ScriptedEngine(lambda asked: asked.messages[0].text.upper(), reverse=reverse)
    seen: list[tuple[int, int]] = []
    with ResponseStore(tmp_path, "scenes-00000") as store:
        first = ask(engine, store, REQUESTS + REQUESTS, on_progress=lambda done, wanted: seen.append((done, wanted)))
        assert (first.sent, first.reused, len(engine.requests)) == (20, 0, 20)
        assert seen == [(done, 20) for done in range(1, 21)]
        assert first.completion_tokens == 40
    with ResponseStore(tmp_path, "scenes-00000") as store:
        more = ask(engine, store, [*REQUESTS, request("another")])
        assert (more.sent, more.reused, len(engine.requests)) == (1, 20, 21)
        assert more.completions[request_key(SCRIPTED_IDENTITY, REQUESTS[3])].text == "QUESTION 3"


def test_failures_are_raised_at_the_end_and_only_they_are_retried(tmp_path: Path) -> None:
    failing = ScriptedEngine(
        lambda asked: RequestFailure("", "server said no") if "3" in asked.messages[0].text else "fine"
    )
    with (
        ResponseStore(tmp_path, "scenes-00000") as store,
        pytest.raises(EngineError, match=r"2 of 20 requests failed.*server said no.*18"),
    ):
        ask(failing, store, REQUESTS)
    assert len(failing.requests) == 20
    mended = ScriptedEngine("fine now")
    with ResponseStore(tmp_path, "scenes-00000") as store:
        assert ask(mended, store, REQUESTS).sent == 2


def test_a_dying_engine_keeps_what_it_completed(tmp_path: Path) -> None:
    def dies(asked: Request) -> str:
        if asked is REQUESTS[10]:
            raise EngineError("the endpoint is gone")
        return "fine"

    with ResponseStore(tmp_path, "scenes-00000") as store, pytest.raises(EngineError, match="gone"):
        ask(ScriptedEngine(dies), store, REQUESTS)
    assert len(ResponseStore(tmp_path, "scenes-00000")) == 10


def test_an_answer_nobody_asked_for_is_an_error(tmp_path: Path) -> None:
    class Confused(ScriptedEngine):
        def generate(self, requests):
            list(requests)
            yield from super().generate([request("something else")])

    with ResponseStore(tmp_path, "scenes-00000") as store, pytest.raises(EngineError, match="not asked"):
        ask(Confused("x"), store, REQUESTS[:1])
