"""Fleets of servers that come, drain, die and go while requests are under way: real servers, some of them processes."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lgt_assets.engines.base import Completion, request_key
from lgt_assets.engines.endpoint_settings import EndpointSettings, read_endpoints
from lgt_assets.engines.openai_endpoint import Endpoint, least_outstanding
from lgt_assets.engines.openai_fleet import addresses_of
from lgt_assets.engines.openai_pool import EndpointPool
from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError, SettingsError
from lgt_assets_tests.engines.openai_test_faults import Load
from lgt_assets_tests.engines.openai_test_server import TestServer
from lgt_assets_tests.engines.requests import request
from lgt_assets_tests.engines.test_openai_server import REQUESTS, completed, echo

STEADY = Load(seconds=0.01)


def engine_of(**settings: object) -> OpenaiServerEngine:
    given = {
        "model": "m", "revision": "1", "backoff_base_seconds": 0.01, "backoff_cap_seconds": 0.05, "in_flight": 16,
        "discovery_seconds": 0.02, "outage_seconds": 20,
    }  # fmt: skip
    return OpenaiServerEngine(OpenaiServerSettings(**given | settings))


def write(path: Path, *endpoints: object) -> None:
    """As lgt serve does: never half a file."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(endpoints), encoding="utf-8")
    partial.rename(path)


# The rule


def endpoint(weight: float, limit: int, active: int = 0) -> Endpoint:
    one = Endpoint(f"http://{weight}-{limit}/v1", limit, 2.0, weight)
    one.limit._value = float(limit)
    one.up, one.active = True, active
    return one


@given(st.lists(st.tuples(st.floats(0.1, 50), st.integers(1, 60)), min_size=1, max_size=6), st.integers(0, 200))
def test_requests_under_way_stand_by_weight_and_never_beyond_a_limit(
    given: list[tuple[float, int]], number: int
) -> None:
    endpoints = [endpoint(weight, limit) for weight, limit in given]
    placed = 0
    for _request in range(number):
        chosen = least_outstanding(endpoints, 0.0)
        if chosen is None:
            break
        chosen.active += 1
        placed += 1
    assert placed == min(number, sum(limit for _weight, limit in given))  # no slot stays empty while requests wait
    assert all(one.active <= one.limit.value for one in endpoints)
    free = [one for one in endpoints if one.active < one.limit.value]
    for one in endpoints:  # no request would have stood better elsewhere
        assert all(one.active / one.weight <= other.load() + 1e-9 for other in free)
    if len(free) == len(endpoints):  # no limit was met: each has the whole part of its share at least
        total = sum(weight for weight, _limit in given)
        assert all(one.active >= int(number * one.weight / total - 1e-9) for one in endpoints)


@given(st.lists(st.sampled_from(["up", "down", "draining", "full", "resting"]), min_size=1, max_size=6), st.data())
def test_only_who_takes_requests_is_chosen(states: list[str], data: st.DataObject) -> None:
    endpoints = [endpoint(1.0, 4, active=4 if state == "full" else 0) for state in states]
    for one, state in zip(endpoints, states, strict=True):
        one.up, one.draining, one.rests_until = state != "down", state == "draining", 9.0 * (state == "resting")
    avoided = data.draw(st.sampled_from(endpoints))
    chosen = least_outstanding(endpoints, 1.0, avoided)
    fit = [one for one, state in zip(endpoints, states, strict=True) if state == "up"]
    assert (chosen in fit) if fit else chosen is None
    assert chosen is not avoided or fit == [avoided]


def test_who_is_no_longer_listed_is_forgotten_when_idle_and_may_return() -> None:
    pool = EndpointPool(16, 2.0)
    pool.apply([EndpointSettings(address=f"http://{name}/v1", weight=2) for name in "abc"])
    a, b, _c = pool.members
    b.active = 1
    pool.apply([EndpointSettings(address="http://a/v1", weight=5)])
    assert pool.members == [a, b] and (a.weight, a.draining, b.draining) == (5, False, True)
    pool.apply([EndpointSettings(address="http://a/v1", drain=True), EndpointSettings(address="http://b/v1")])
    assert pool.members == [a, b] and pool.serving == [b] and a.draining
    b.active = 0
    pool.apply([])
    assert pool.members == [] and not pool.has_hope and not pool.all_refused


# Fleets


def test_shares_follow_the_weights() -> None:
    with TestServer(echo(), "m", load=STEADY) as large, TestServer(echo(), "m", load=STEADY) as small:
        listed = [{"address": large.address, "weight": 3}, small.address]
        with engine_of(endpoints=listed) as engine:
            completed(engine, REQUESTS)  # from here on both are known to be up
            large.most_at_once = small.most_at_once = 0
            large.counts.clear(), small.counts.clear()
            completed(engine, [request(f"question {number}", seed=number) for number in range(640)])
    assert large.most_at_once in (12, 13) and small.most_at_once in (4, 5)  # of 16 under way
    assert 2.2 < large.counts["answered"] / small.counts["answered"] < 3.8


def server_process() -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "lgt_assets_tests.engines.openai_test_server", "--scripted", "--served-name", "m"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["address"]


def test_one_dies_one_joins_and_one_drains_and_nothing_is_lost_or_answered_twice(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.yaml"
    asked: list[str] = []
    enough = False

    def requests() -> Iterator[object]:
        for number in range(100_000):
            if enough:
                return
            one = request(f"question {number}", seed=number)
            asked.append(request_key(engine.identity, one))
            yield one

    process, dying = server_process()
    answered: Counter[str | None] = Counter()
    keys: list[str] = []
    try:
        with TestServer(echo(), "m", load=STEADY) as steady, TestServer(echo(), "m", load=STEADY) as joining:
            write(file, dying, steady.address)
            with engine_of(endpoints_file=file) as engine:
                results = engine.generate(requests())

                def take(until: object) -> None:
                    while not until():  # type: ignore[operator]
                        result = next(results)
                        assert isinstance(result, Completion), result
                        keys.append(result.request_key)
                        answered[result.endpoint] += 1

                take(lambda: answered[dying] >= 50)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                before = len(keys)
                take(lambda: len(keys) >= before + 200)
                assert answered[joining.address] == 0
                write(file, dying, steady.address, joining.address)
                take(lambda: answered[joining.address] >= 100)
                write(file, dying, joining.address)
                take(lambda: steady.address not in [one.address for one in engine._client.pool.members])
                drained = steady.counts["requests"]
                before = len(keys)
                take(lambda: len(keys) >= before + 200)
                assert steady.counts["requests"] == drained == steady.counts["answered"]
                enough = True
                for result in results:
                    assert isinstance(result, Completion), result
                    keys.append(result.request_key)
    finally:
        process.kill()
        process.wait()
    assert sorted(keys) == sorted(asked) and len(set(keys)) == len(keys)
    assert max((steady.answered + joining.answered).values()) == 1


def test_one_that_is_marked_drain_gets_nothing_until_the_mark_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.yaml"
    requests = (request(f"question {number}", seed=number) for number in range(100_000))
    with TestServer(echo(), "m", load=STEADY) as one, TestServer(echo(), "m", load=STEADY) as marked:
        write(file, one.address, {"address": marked.address, "drain": True})
        with engine_of(endpoints_file=file) as engine:
            results = engine.generate(requests)
            assert {next(results).endpoint for _result in range(200)} == {one.address}  # type: ignore[union-attr]
            assert marked.counts["requests"] == 0
            write(file, {"address": one.address, "drain": True}, marked.address)
            while next(results).endpoint != marked.address:  # type: ignore[union-attr]
                pass
            while not engine._client.pool.members[0].draining:
                next(results)
            had = one.counts["requests"]
            later = [next(results).endpoint for _result in range(200)]  # type: ignore[union-attr]
            assert one.counts["requests"] <= had + 16  # what was on its way there; no share of 200
            assert {*later[-100:]} == {marked.address}
            results.close()


def test_an_empty_or_broken_list_ends_nothing_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "endpoints.yaml"
    requests = (request(f"question {number}", seed=number) for number in range(100_000))
    with TestServer(echo(), "m", load=STEADY) as one, TestServer(echo(), "m", load=STEADY) as other:
        write(file, one.address)
        with engine_of(endpoints_file=file) as engine:
            results = engine.generate(requests)
            next(results)
            write(file, {"adress": other.address})
            while not any("adress" in record.message for record in caplog.records):
                assert next(results).endpoint == one.address  # type: ignore[union-attr]
            write(file)
            while one.address in [member.address for member in engine._client.pool.members]:
                if engine._client.pool.members[0].active:
                    next(results)
            write(file, other.address)
            while next(results).endpoint != other.address:  # type: ignore[union-attr]
                pass
            results.close()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "there is no endpoints file"), ("[]", "lists no endpoint that is not marked drain")]
)
def test_a_list_without_endpoints_ends_the_run_after_a_while(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "endpoints.yaml"
    if content is not None:
        file.write_text(content)
    with engine_of(endpoints_file=file, outage_seconds=0.1) as engine:
        with pytest.raises(EngineError, match=f"no endpoint answers: .*{said}"):
            list(engine.generate(REQUESTS))
        file.write_text("- nonsense")
        with pytest.raises(SettingsError, match=r"endpoints\.yaml: 0\.address: .*must start with http"):
            list(engine.generate(REQUESTS))


def test_a_relative_file_lies_below_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    (tmp_path / "state" / "servers").mkdir(parents=True)
    with TestServer(echo(), "m") as server, engine_of(endpoints_file="servers/m.yaml") as engine:
        write(tmp_path / "state" / "servers" / "m.yaml", server.address)
        completed(engine, REQUESTS)


def test_every_address_of_a_name_is_an_endpoint_and_is_resolved_again() -> None:
    """The resolver is the test's: a name with records that change needs a name server."""
    behind = ["127.0.0.1"]

    async def resolve(host: str, port: int) -> list[str]:
        assert host == "fleet.example"
        return list(behind)

    requests = (request(f"question {number}", seed=number) for number in range(100_000))
    with TestServer(echo(), "m", load=STEADY) as first:
        port = int(first.address.split(":")[2].removesuffix("/v1"))
        with TestServer(echo(), "m", load=STEADY, host="127.0.0.2", port=port) as second:
            settings = OpenaiServerSettings(
                model="m",
                revision="1",
                endpoints_dns=f"http://fleet.example:{port}/v1",
                discovery_seconds=0.02,
                in_flight=8,
            )
            with OpenaiServerEngine(settings, resolve) as engine:
                results = engine.generate(requests)
                assert {next(results).endpoint for _result in range(50)} == {first.address}  # type: ignore[union-attr]
                behind[:] = ["127.0.0.1", "127.0.0.2"]
                while next(results).endpoint != second.address:  # type: ignore[union-attr]
                    pass
                behind[:] = ["127.0.0.2"]
                while len(engine._client.pool.members) > 1:
                    next(results)
                results.close()


def test_names_are_resolved_by_the_system() -> None:
    assert "127.0.0.1" in asyncio.run(addresses_of("localhost", 80))
    with engine_of(endpoints_dns="http://no-such-host.invalid:8000/v1", outage_seconds=0.1) as engine:
        with pytest.raises(EngineError, match=r"no-such-host\.invalid of endpoints_dns cannot be resolved"):
            list(engine.generate(REQUESTS))


def test_the_key_is_the_same_at_every_endpoint_and_the_store_names_it(tmp_path: Path) -> None:
    with TestServer(echo(), "m") as one, TestServer(echo(), "m") as other:
        found = []
        for server in (one, other):
            with engine_of(endpoints=[server.address]) as engine:
                found.append(completed(engine, REQUESTS[:3]))
        assert found[0].keys() == found[1].keys()
        with ResponseStore(tmp_path, "scenes-00000") as store:
            for asked in REQUESTS[:3]:
                kept = found[1][request_key(engine.identity, asked)]
                store.append(asked, kept, asset="a", role="vlm", engine_kind="openai_server", identity=engine.identity)
                assert store[kept.request_key].endpoint == other.address
        with ResponseStore(tmp_path, "scenes-00000") as store:
            (rows,) = store.frames("a")
            assert set(rows["endpoint"]) == {other.address}


# How they are named

ADDRESSES = st.integers(1, 65535).map(lambda port: f"http://127.0.0.1:{port}/v1")
ENTRIES = st.builds(EndpointSettings, address=ADDRESSES, weight=st.floats(0.01, 1e6), drain=st.booleans())


@given(st.lists(ENTRIES, unique_by=lambda one: one.address, max_size=5), st.booleans())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, endpoints: list, below_a_key: bool) -> None:
    listed = [one.model_dump() for one in endpoints]
    yaml_file = tmp_path_factory.mktemp("endpoints") / "e.yaml"
    yaml_file.write_text(json.dumps({"endpoints": listed} if below_a_key else listed))
    assert read_endpoints(yaml_file) == tuple(endpoints)
    lines = yaml_file.with_suffix(".txt")
    lines.write_text("# ours\n" + "".join(f"{one.address}/ # {one.weight}\n\n" for one in endpoints))
    assert [one.address for one in read_endpoints(lines)] == [one.address for one in endpoints]


@given(st.text())
def test_any_text_is_read_or_refused_by_name(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    for name in ("e.yaml", "e.txt"):
        file = tmp_path_factory.mktemp("endpoints") / name
        file.write_text(text, encoding="utf-8")
        try:
            assert isinstance(read_endpoints(file), tuple)
        except SettingsError as error:
            assert str(file) in str(error)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "names no endpoint: give just one of endpoints, endpoints_file and endpoints_dns"),
        ({"endpoints": ["http://a/v1"], "endpoints_file": "e.yaml"}, "has endpoints and endpoints_file"),
        ({"endpoints": ["http://a/v1", "http://a/v1/"]}, "http://a/v1 is named twice"),
        ({"endpoints": [{"address": "http://a/v1", "weight": 0}]}, "weight"),
        ({"endpoints": [{"address": "http://a/v1", "wieght": 2}]}, "wieght"),
        ({"endpoints": [{"address": "http://a/v1", "drain": True}]}, "every one is marked drain"),
        ({"endpoints": ["http:///v1"]}, "is no address"),
        ({"endpoints_dns": "https://fleet:8000/v1"}, "must start with http://: certificates"),
        ({"endpoints_dns": "fleet:8000"}, "must start with http"),
        ({"endpoints_file": "e.yaml", "discovery_seconds": 0}, "discovery_seconds"),
    ],
)
def test_profiles_say_what_is_wrong(settings: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OpenaiServerSettings(model="m", **settings)


def test_a_refused_endpoint_of_a_fleet_is_named_and_comes_back_with_the_right_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "endpoints.txt"
    requests = (request(f"question {number}", seed=number) for number in range(100_000))
    with TestServer(echo(), "m", load=STEADY) as right:
        with TestServer(echo(), "other") as wrong:
            file.write_text(f"{right.address}\n{wrong.address}\n")
            engine = engine_of(endpoints_file=file)
            results = engine.generate(requests)
            assert {next(results).endpoint for _result in range(100)} == {right.address}  # type: ignore[union-attr]
            port = int(wrong.address.split(":")[2].removesuffix("/v1"))
        with TestServer(echo(), "m", load=STEADY, port=port) as mended:
            while next(results).endpoint != mended.address:  # type: ignore[union-attr]
                pass
            results.close()
            engine.close()
    said = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert [message for message in said if f"{wrong.address}: it serves other, not 'm'" in message]
