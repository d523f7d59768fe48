"""The client against a real server with real faults: every request answered exactly once, or failed with a reason."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion, Request, RequestFailure, request_key
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.scripted import ScriptedEngine
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError, StorageError
from lgt_assets_tests.engines.openai_test_faults import Faults
from lgt_assets_tests.engines.openai_test_server import TestServer
from lgt_assets_tests.engines.requests import picture, request

REQUESTS = [request(f"question {number}", seed=number) for number in range(120)]


def client(*servers: TestServer, **settings: object) -> OpenaiServerEngine:
    given = {
        "model": "m",
        "revision": "1",
        "backoff_base_seconds": 0.01,
        "backoff_cap_seconds": 0.05,
        "in_flight": 32,
        **settings,
    }
    return OpenaiServerEngine(OpenaiServerSettings(endpoints=tuple(server.address for server in servers), **given))


def echo(**kwargs: object) -> ScriptedEngine:
    return ScriptedEngine(lambda asked: f"{asked.prefix}|{asked.messages[-1].text}", batch_size=64, **kwargs)


def completed(engine: OpenaiServerEngine, requests: list[Request]) -> dict[str, Completion]:
    results = list(engine.generate(iter(requests)))
    assert all(isinstance(result, Completion) for result in results), results
    assert sorted(result.request_key for result in results) == sorted(
        request_key(engine.identity, one) for one in requests
    )
    return {result.request_key: result for result in results if isinstance(result, Completion)}


def test_busy_errors_drops_and_garbage_are_retried(tmp_path: Path) -> None:
    faults = Faults(
        (("busy", 0.2), ("error", 0.15), ("drop", 0.15), ("garbage", 0.05), ("shape", 0.05), ("empty", 0.05)), seed=3
    )
    with TestServer(echo(), "m", faults) as server, client(server) as engine:
        answers = completed(engine, REQUESTS)
        for asked in REQUESTS:
            assert answers[request_key(engine.identity, asked)].text == f"|{asked.messages[0].text}"
        assert min(server.counts[fault] for fault, _rate in faults.rates) > 0
        assert set(server.answered.values()) == {1} and len(server.answered) == len(REQUESTS)
        assert 2 <= server.most_at_once <= 32


def test_nothing_more_is_sent_after_a_result_that_cannot_be_kept() -> None:
    def refuse(_result: object) -> None:
        raise StorageError("the disk is full")

    with TestServer(echo(), "m") as server, client(server, in_flight=4) as engine:
        with pytest.raises(StorageError, match="the disk is full"):
            list(engine.generate_kept(iter(REQUESTS), refuse))
        assert len(completed(engine, REQUESTS[:3])) == 3
        assert sum(server.answered.values()) <= 4 + 3


def test_in_flight_is_bounded_and_requests_are_pulled_lazily() -> None:
    pulled = 0

    def endless() -> Iterator[Request]:
        nonlocal pulled
        while True:
            pulled += 1
            yield request(f"question {pulled}", seed=pulled)

    with TestServer(echo(), "m") as server, client(server, in_flight=4) as engine:
        results = engine.generate(endless())
        for _result in range(20):
            next(results)
        results.close()
        assert server.most_at_once <= 4
        # four asked and four that stand ready; as many again may have been handed over together and not taken yet
        assert pulled <= 20 + 2 * (4 + 4)
        assert len(completed(engine, REQUESTS[:3])) == 3  # goes on after an early end


def test_slow_answers_time_out_and_are_asked_again() -> None:
    with (
        TestServer(echo(), "m", Faults((("slow", 1.0),), most=1, slow_seconds=30)) as server,
        client(server, timeout_seconds=0.3) as engine,
    ):
        assert len(completed(engine, REQUESTS[:4])) == 4
        assert server.counts["slow"] == 4


@pytest.mark.parametrize("fault, said", [
    ("garbage", "no chat completion"), ("shape", "no chat completion"), ("empty", "no chat completion"),
    ("drop", "dropped the connection"), ("error", "answered 500: internal error"),
])  # fmt: skip
def test_attempts_end_with_a_failure_that_names_endpoint_and_reason(fault: str, said: str) -> None:
    with TestServer(echo(), "m", Faults(((fault, 1.0),), most=99)) as server, client(server, attempts=3) as engine:
        (result,) = engine.generate(REQUESTS[:1])
        assert isinstance(result, RequestFailure)
        assert result.error.startswith(f"{server.address} ") and said in result.error and "3 attempts" in result.error
        assert server.counts[fault] == 3


def test_an_endpoint_that_never_says_anything_sensible_ends_the_run() -> None:
    faults = Faults((("garbage", 1.0),), most=10**6)
    with TestServer(echo(), "m", faults) as server, client(server, attempts=10**6, outage_seconds=0.2) as engine:
        with pytest.raises(
            EngineError, match=rf"no endpoint answers: {server.address} its answer is no chat completion"
        ):
            list(engine.generate(REQUESTS))


def test_the_deadline_bounds_all_attempts() -> None:
    faults = Faults((("busy", 1.0),), most=99, retry_after="3600")
    with TestServer(echo(), "m", faults) as server, client(server, deadline_seconds=0.3, attempts=99) as engine:
        (result,) = engine.generate(REQUESTS[:1])
        assert isinstance(result, RequestFailure) and "429" in result.error
        assert server.counts["busy"] <= 2


def test_the_wrong_model_stops_everything() -> None:
    with TestServer(echo(), "m", Faults((("wrong_model", 1.0),))) as server, client(server) as engine:
        with pytest.raises(EngineError, match=r"another-model.*instead of 'm'"):
            list(engine.generate(REQUESTS))
        assert server.counts["requests"] <= 64  # nothing more is sent
    with TestServer(echo(), "other") as server, client(server) as engine:
        with pytest.raises(EngineError, match=rf"{server.address}.*serves other, not 'm'"):
            list(engine.generate(REQUESTS))
        assert server.counts["requests"] == 0  # /v1/models said so before anything was sent


def test_keys_come_from_the_environment_and_go_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with TestServer(echo(), "m", api_key="right-key-123") as server:
        with pytest.raises(EngineError, match="TEST_ENDPOINT_KEY"):
            client(server, api_key_env="TEST_ENDPOINT_KEY")
        monkeypatch.setenv("TEST_ENDPOINT_KEY", "right-key-123")
        with client(server, api_key_env="TEST_ENDPOINT_KEY") as engine:
            assert len(completed(engine, REQUESTS[:2])) == 2
            assert "right-key-123" not in repr(engine) + str(vars(engine)["_settings"])
        monkeypatch.setenv("TEST_ENDPOINT_KEY", "wrong-key-456")
        with client(server, api_key_env="TEST_ENDPOINT_KEY") as engine, pytest.raises(EngineError) as caught:
            list(engine.generate(REQUESTS))
        assert (
            "401" in str(caught.value)
            and "api_key_env" in str(caught.value)
            and "wrong-key-456" not in str(caught.value)
        )


def test_a_refused_request_fails_alone(tmp_path: Path) -> None:
    script = ScriptedEngine(lambda asked: RequestFailure("", "prompt is too long") if asked.seed == 1 else "fine")
    with TestServer(script, "m") as server, client(server) as engine:
        results = list(engine.generate(REQUESTS[:5]))
        failures = [result for result in results if isinstance(result, RequestFailure)]
        assert len(results) == 5 and len(failures) == 1
        assert "prompt is too long" in failures[0].error and server.counts["requests"] == 5


def test_a_dead_endpoint_is_passed_over_and_none_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    with TestServer(echo(), "m") as server, TestServer(echo(), "m") as second:
        given = {
            "model": "m",
            "revision": "1",
            "backoff_base_seconds": 0.01,
            "backoff_cap_seconds": 0.05,
            "in_flight": 8,
        }
        with OpenaiServerEngine(
            OpenaiServerSettings(endpoints=(dead, server.address, second.address), **given)
        ) as engine:
            assert len(completed(engine, REQUESTS)) == len(REQUESTS)
            assert min(server.counts["answered"], second.counts["answered"]) > len(REQUESTS) // 4
        with OpenaiServerEngine(OpenaiServerSettings(endpoints=(dead,), outage_seconds=0.1, **given)) as engine:
            with pytest.raises(EngineError, match=f"no endpoint answers: {dead} cannot be reached"):
                list(engine.generate(REQUESTS))


def test_body_says_what_the_request_says(tmp_path: Path) -> None:
    image = picture(tmp_path)
    full = request("Was?", seed=9, images=(image,), prefix="<think> Wait,", temperature=0.7, top_p=0.9, top_k=5, max_tokens=33,
                   stop=("</answer>",), include_stop=True, bad_words=("caption",))  # fmt: skip
    engine_seen = echo()
    with TestServer(engine_seen, "served") as server, client(server, served_model="served", max_pixels=12544) as engine:
        assert completed(engine, [full]).popitem()[1].text == "<think> Wait,|Was?"
        completed(engine, [request("bare")])
    (seen, bare), (body, bare_body) = engine_seen.requests, server.bodies
    assert (seen.prefix, seen.sampling, seen.seed, seen.messages[0].images[0].sha256) == (
        full.prefix,
        full.sampling,
        9,
        image.sha256,
    )
    assert body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert (body["add_generation_prompt"], body["continue_final_message"], body["n"]) == (False, True, 1)
    assert body["mm_processor_kwargs"] == {"max_pixels": 12544}
    assert (
        not {"bad_words", "include_stop_str_in_output", "continue_final_message", "stop", "mm_processor_kwargs"}
        & bare_body.keys()
    )
    assert bare.sampling == request("bare").sampling


def test_bare_openai_dialect_says_what_it_cannot(tmp_path: Path) -> None:
    with TestServer(echo(), "m") as server, client(server, dialect="openai") as engine:
        (result,) = engine.generate([request("x", prefix="<think>")])
        assert isinstance(result, RequestFailure) and "continue_final_message" in result.error
        completed(engine, [request("x")])
        assert "top_k" not in server.bodies[0]


def test_missing_picture_is_the_requests_failure(tmp_path: Path) -> None:
    image = picture(tmp_path)
    Path(image.uri).unlink()
    with TestServer(echo(), "m") as server, client(server) as engine:
        (result,) = engine.generate([request("x", images=(image,))])
        assert isinstance(result, RequestFailure) and image.uri in result.error


def test_texts_and_keys_equal_those_of_the_model_in_this_process(
    hf_engine: HfTransformersEngine, model_folder: str, tmp_path: Path
) -> None:
    pictures = [picture(tmp_path, "red"), picture(tmp_path, "green", 84)]
    requests = [
        request(f"Is it {number}?", seed=number, images=(pictures[number % 2],) if number % 3 == 0 else (),
                prefix="<think> I see" if number % 2 else "", temperature=float(number % 4 == 3), max_tokens=16,
                stop=(".",), include_stop=True)
        for number in range(48)
    ]  # fmt: skip
    here = {
        result.request_key: result.text for result in hf_engine.generate(requests) if isinstance(result, Completion)
    }
    faults = Faults((("busy", 0.2), ("drop", 0.1)), seed=1)
    with (
        TestServer(hf_engine, "embedded", faults) as server,
        client(server, model=model_folder, served_model="embedded", revision="") as engine,
    ):
        assert engine.identity == hf_engine.identity
        there = {key: completion.text for key, completion in completed(engine, requests).items()}
    assert there == here and len(here) == 48
