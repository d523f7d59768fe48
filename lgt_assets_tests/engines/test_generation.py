"""Asking: once for each distinct request, never for what is stored."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lgt_assets.engines import generation
from lgt_assets.engines.base import Request, RequestFailure, request_key
from lgt_assets.engines.generation import Asking, Reply, Usage
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.scripted import SCRIPTED_IDENTITY, ScriptedEngine
from lgt_assets.errors import EngineError, PromptError, RequestsFailedError
from lgt_assets.spool import Spool, SpooledQueue
from lgt_assets_tests.engines.requests import request

REQUESTS = [request(f"question {number}") for number in range(20)]


def ask(
    engine: ScriptedEngine, store: ResponseStore, requests: list[Request], **options: object
) -> tuple[Usage, list[Reply[int]]]:
    usage = Usage()
    wanted = ((request, number) for number, request in enumerate(requests))
    asking = Asking(engine, store, wanted, asset="seed_questions", role="questioner", usage=usage, **options)
    return usage, list(asking)


@pytest.mark.parametrize("reverse", [False, True])
def test_equal_requests_are_sent_once_and_stored_ones_never(tmp_path: Path, reverse: bool) -> None:
    engine = ScriptedEngine(lambda asked: asked.messages[0].text.upper(), reverse=reverse)
    told: list[tuple[int, int, bool]] = []
    with ResponseStore(tmp_path, "scenes-00000") as store:
        first, replies = ask(engine, store, REQUESTS + REQUESTS, on_progress=lambda *counts: told.append(counts))
        assert (first.requests_sent, first.requests_reused, len(engine.requests)) == (20, 0, 20)
        assert told[-1] == (20, 20, True) and told == sorted(told)
        assert (first.completion_tokens, first.prompt_tokens) == (40, 40)
        assert first.device_seconds > 0
        assert [reply.item for reply in replies] == list(range(40))
        assert [reply.completion.text for reply in replies] == [f"QUESTION {number % 20}" for number in range(40)]
    with ResponseStore(tmp_path, "scenes-00000") as store:
        more, replies = ask(engine, store, [*REQUESTS, request("another")])
        assert (more.requests_sent, more.requests_reused, len(engine.requests)) == (1, 20, 21)
        assert replies[3] == Reply(
            request_key(SCRIPTED_IDENTITY, REQUESTS[3]), store[request_key(SCRIPTED_IDENTITY, REQUESTS[3])], 3
        )


def test_failures_are_raised_at_the_end_and_only_they_are_retried(tmp_path: Path) -> None:
    failing = ScriptedEngine(
        lambda asked: RequestFailure("", "server said no") if "3" in asked.messages[0].text else "fine"
    )
    with (
        ResponseStore(tmp_path, "scenes-00000") as store,
        pytest.raises(RequestsFailedError, match=r"2 of 20 requests failed.*server said no.*18"),
    ):
        ask(failing, store, REQUESTS)
    assert len(failing.requests) == 20
    mended = ScriptedEngine("fine now")
    with ResponseStore(tmp_path, "scenes-00000") as store:
        assert ask(mended, store, REQUESTS)[0].requests_sent == 2


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


def wanted(count: int, seen: list[int]) -> Iterator[tuple[Request, int]]:
    for number in range(count):
        seen.append(number)
        yield request(f"question {number}"), number


def test_answers_come_in_order_while_others_are_still_planned(tmp_path: Path) -> None:
    """The head's answer is given out before the plan is at its end: the engine's last window is far behind."""
    planned: list[int] = []
    with ResponseStore(tmp_path, "scenes-00000") as store:
        asking = Asking(
            ScriptedEngine("x", reverse=True), store, wanted(20_000, planned), asset="seed_questions", role="questioner"
        )
        replies = iter(asking)
        assert next(replies).item == 0
        assert len(planned) < 20_000
        assert [next(replies).item for _turn in range(100)] == list(range(1, 101))
        replies.close()
        assert len(planned) < 20_000


def test_planning_waits_for_a_slow_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "_AHEAD", 50)
    planned: list[int] = []
    with ResponseStore(tmp_path, "scenes-00000") as store:
        asking = Asking(ScriptedEngine("x"), store, wanted(2_000, planned), asset="seed_questions", role="questioner")
        most = 0
        for taken, _reply in enumerate(asking, start=1):
            most = max(most, len(planned) - taken)
    assert len(planned) == 2_000
    assert most <= 50 + 64 + 8 + 1  # waiting, given out at once, the engine's batch, the one in hand


def test_an_engine_that_wants_everything_first_is_not_kept_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "_AHEAD", 50)
    monkeypatch.setattr(generation, "SpooledQueue", partial(SpooledQueue, batch_rows=16))
    engine = ScriptedEngine(lambda asked: asked.messages[0].text, reverse=True, batch_size=10_000)
    with ResponseStore(tmp_path, "scenes-00000") as store:
        _usage, replies = ask(engine, store, [request(f"question {number}") for number in range(500)])
    assert [reply.completion.text for reply in replies] == [f"question {number}" for number in range(500)]


def test_a_share_of_failures_leaves_their_items_out(tmp_path: Path) -> None:
    failing = ScriptedEngine(lambda asked: RequestFailure("", "no") if "3" in asked.messages[0].text else "fine")
    failures = Spool()
    with ResponseStore(tmp_path, "scenes-00000") as store:
        usage, replies = ask(failing, store, REQUESTS, maximum_failure_share=0.1, failures=failures)
    assert [reply.item for reply in replies] == [number for number in range(20) if number not in (3, 13)]
    assert (usage.requests_sent, usage.requests_failed) == (20, 2)
    assert [(row["error"], row["role"]) for row in failures] == [("no", "questioner")] * 2


def test_a_plan_that_breaks_is_the_callers_error(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[Request, int]]:
        yield REQUESTS[0], 0
        raise PromptError("no such variable")

    with ResponseStore(tmp_path, "scenes-00000") as store, pytest.raises(PromptError, match="no such variable"):
        list(Asking(ScriptedEngine("x"), store, broken(), asset="seed_questions", role="questioner"))
