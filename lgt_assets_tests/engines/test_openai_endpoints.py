"""Endpoints that refuse, slow down, die and come back; keys that must not leak. Against real servers, some of them processes."""

import json
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion, Request, RequestFailure
from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.scripted import ScriptedEngine
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError
from lgt_assets_tests.engines.openai_test_faults import Faults, Load
from lgt_assets_tests.engines.openai_test_server import TestServer
from lgt_assets_tests.engines.requests import request
from lgt_assets_tests.engines.test_openai_server import REQUESTS, client, completed, echo

KEY = "sk-a-key-that-must-not-leak-0123456789"


def limit_of(engine: OpenaiServerEngine, number: int = 0) -> int:
    return engine._client.pool.members[number].limit.value


def test_a_storm_of_refusals_ends_below_the_capacity_and_growth_resumes() -> None:
    requests = [request(f"question {number}", seed=number) for number in range(600)]
    load = Load(capacity=6, seconds=0.005)
    with TestServer(echo(), "m", Faults(retry_after=""), load=load) as server, client(server, in_flight=64) as engine:
        completed(engine, requests[:300])
        assert set(server.answered.values()) == {1}
        assert limit_of(engine) <= 6 + 3
        assert 0 < server.counts["refused"] < 300 / 2
        server.load = Load(seconds=0.005)
        before = server.counts["refused"]
        completed(engine, requests[300:])
        assert server.counts["refused"] == before and limit_of(engine) >= 16


def test_a_server_that_slows_down_is_given_no_more_than_it_bears() -> None:
    requests = [request(f"question {number}", seed=number) for number in range(900)]
    load = Load(capacity=16, seconds=0.02, refuses=False)
    with TestServer(echo(), "m", load=load) as server, client(server, in_flight=512, latency_tolerance=2.0) as engine:
        completed(engine, requests)
        assert limit_of(engine) < 128
    with TestServer(echo(), "m", load=load) as server, client(server, in_flight=512, latency_tolerance=1e9) as engine:
        completed(engine, requests)
        assert limit_of(engine) > 128  # without the gate it goes on growing


def test_retry_after_is_kept_to() -> None:
    faults = Faults((("busy", 1.0),), most=1, retry_after="0.2")
    with TestServer(echo(), "m", faults) as server, client(server, backoff_base_seconds=0) as engine:
        (result,) = engine.generate(REQUESTS[:1])
        assert isinstance(result, Completion) and server.counts["requests"] == 2
        first, second = server.arrivals
        assert second - first >= 0.2


def test_being_told_to_wait_is_no_attempt() -> None:
    with TestServer(echo(), "m", Faults((("busy", 1.0),), most=5)) as server, client(server, attempts=1) as engine:
        completed(engine, REQUESTS[:8])
        assert server.counts["busy"] == 5 * 8


@contextmanager
def server_process(port: int = 0) -> Iterator[str]:
    """The test server as a process of its own, killed at the end; yields its base address."""
    command = [sys.executable, "-m", "lgt_assets_tests.engines.openai_test_server", "--scripted", "--served-name", "m"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.kill()
        process.wait()


def test_an_endpoint_that_dies_is_left_out_until_it_returns(caplog: pytest.LogCaptureFixture) -> None:
    requests = (request(f"question {number}", seed=number) for number in range(50_000))
    given = {"model": "m", "revision": "1", "backoff_base_seconds": 0.02, "backoff_cap_seconds": 0.1, "in_flight": 16}

    def take_until_answered_by_the_process(expected: bool) -> None:
        """Until it gave 20 answers; or until 200 came from the other one alone."""
        alone = own = 0
        while own < 20 if expected else alone < 200:
            result = next(results)
            assert isinstance(result, Completion), result
            is_own = not result.text.startswith("|")
            own, alone = own + is_own, 0 if is_own else alone + 1

    with TestServer(echo(), "m", load=Load(seconds=0.002)) as steady:
        with server_process() as address:
            engine = OpenaiServerEngine(OpenaiServerSettings(endpoints=(address, steady.address), **given))
            results = engine.generate(requests)
            take_until_answered_by_the_process(True)
        take_until_answered_by_the_process(False)
        with server_process(int(address.split(":")[2].removesuffix("/v1"))):
            take_until_answered_by_the_process(True)
        results.close()
        engine.close()
    said = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert f"endpoint {address} answers again" in said
    assert any(message.startswith(f"endpoint {address} is left out for now: it ") for message in said)


def test_unequal_servers_get_unequal_shares() -> None:
    with (
        TestServer(echo(), "m", Faults(retry_after=""), load=Load(capacity=2, seconds=0.01)) as small,
        TestServer(echo(), "m", load=Load(seconds=0.01)) as large,
        client(small, large, in_flight=64) as engine,
    ):
        completed(engine, [request(f"question {number}", seed=number) for number in range(600)])
        assert small.counts["answered"] > 0 and large.counts["answered"] > 3 * small.counts["answered"]
        assert limit_of(engine, 0) < limit_of(engine, 1)


def test_a_wrong_endpoint_among_right_ones_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with TestServer(echo(), "m") as right, TestServer(echo(), "other") as wrong, client(right, wrong) as engine:
        completed(engine, REQUESTS)
        assert wrong.counts["requests"] == 0 and right.counts["answered"] == len(REQUESTS)
    refused = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert any(f"{wrong.address}: it serves other, not 'm'" in message for message in refused)


def test_wrong_endpoints_alone_end_the_run_and_each_is_named() -> None:
    with TestServer(echo(), "other") as one, TestServer(echo(), "another") as two, client(one, two) as engine:
        with pytest.raises(
            EngineError, match=f"^{one.address}: it serves other, not 'm'.*{two.address}: it serves another"
        ):
            list(engine.generate(REQUESTS))


def test_an_endpoint_that_changes_its_model_within_a_run_is_left_out() -> None:
    faults = Faults((("wrong_model", 1.0),), most=1)
    with TestServer(echo(), "m") as right, TestServer(echo(), "m", faults) as turned, client(right, turned) as engine:
        completed(engine, REQUESTS)
        assert 0 < turned.counts["wrong_model"] <= 32


def test_the_key_is_nowhere_but_in_the_header(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEST_ENDPOINT_KEY", KEY)
    seen: list[str] = []

    def script(asked: Request) -> str | RequestFailure:
        said = f"your key is {KEY}"  # a server that quotes it in an answer, or in a refusal
        return RequestFailure("", said * 20) if asked.seed % 2 else said

    given = {"api_key_env": "TEST_ENDPOINT_KEY", "attempts": 2, "outage_seconds": 0.1}
    with (
        TestServer(echo(), "m", api_key="another") as refusing,
        TestServer(ScriptedEngine(script), "m", api_key=KEY) as server,
    ):
        with client(server, **given) as engine:
            results = list(engine.generate(REQUESTS[:20]))
            assert any(isinstance(result, Completion) and "***" in result.text for result in results)
            assert any(isinstance(result, RequestFailure) and "***" in result.error for result in results)
            seen += [repr(engine), str(vars(engine)), repr(engine._settings), engine._settings.model_dump_json()]
            seen += [
                str(vars(engine._wire)),
                str(vars(engine._client)),
                str(pickle.dumps(results)),
                repr(engine.identity),
            ]
        with client(refusing, **given) as engine, pytest.raises(EngineError) as caught:
            list(engine.generate(REQUESTS))
        assert "401" in str(caught.value)
        seen.append("".join(traceback.format_exception(caught.value)))
    seen += [caplog.text, *capfd.readouterr()]
    assert not [text for text in seen if KEY in text or KEY[:16] in text]


def test_a_key_in_the_address_is_refused() -> None:
    with pytest.raises(ValueError, match="without user, password or key"):
        OpenaiServerSettings(model="m", endpoints=("https://me:secret@host/v1",))


def test_a_key_that_no_header_can_hold_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ENDPOINT_KEY", "sk-abc\ndef")
    with pytest.raises(EngineError, match="holds no key") as caught:
        OpenaiServerEngine(
            OpenaiServerSettings(model="m", revision="1", endpoints=("http://x/v1",), api_key_env="TEST_ENDPOINT_KEY")
        )
    assert "abc" not in str(caught.value)
