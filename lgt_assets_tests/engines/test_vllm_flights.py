"""Feeding an engine by hand: several askers, aborts, and what happens when the engine dies. The engine here is a fake."""

from collections import deque
from types import SimpleNamespace

import pytest

from lgt_assets.engines.base import Completion, Request, RequestFailure
from lgt_assets.engines.vllm_flights import Flight, Flights, Result
from lgt_assets.errors import EngineError
from lgt_assets_tests.engines.requests import request


class FakeVllm:
    """Finishes the two oldest requests a step; dies of too many at once, of a poisonous one, or always."""

    def __init__(self, slots: int = 4, most: int = 99, poison: str = "poison") -> None:
        self.slots, self.most, self.poison = slots, most, poison
        self.held: dict[str, Request] = {}
        self.peak, self.freed = 0, False

    def add(self, number: str, asked: Request) -> None:
        self.held[number] = asked

    def step(self) -> list[SimpleNamespace]:
        self.peak = max(self.peak, len(self.held))
        if len(self.held) > self.most:
            raise RuntimeError("CUDA out of memory")
        if any(self.poison in asked.messages[0].text for asked in list(self.held.values())[: self.slots]):
            raise RuntimeError("EngineCore encountered an issue")
        return [output(number, self.held.pop(number)) for number in list(self.held)[:2]]

    def abort(self, numbers: list[str]) -> None:
        for number in numbers:
            del self.held[number]

    def free(self) -> None:
        self.freed = True


def output(number: str, asked: Request) -> SimpleNamespace:
    text = SimpleNamespace(text=asked.messages[0].text, finish_reason="stop", token_ids=[1])
    return SimpleNamespace(request_id=number, outputs=[text], prompt_token_ids=[1, 2], num_cached_tokens=1)


class Shop:
    """Flights over fakes, all of which are kept to look at."""

    def __init__(self, **fake: object) -> None:
        self.made: list[FakeVllm] = []
        self.flights = Flights(lambda: self.made.append(FakeVllm(**fake)) or self.made[-1])  # type: ignore[arg-type]

    def send(self, texts: list[str]) -> deque[Result]:
        inbox: deque[Result] = deque()
        for text in texts:
            self.flights.submit(Flight(text, request(text), inbox))
        return inbox


def test_each_asker_gets_its_own() -> None:
    shop = Shop()
    one, other = shop.send(["a", "b", "c"]), shop.send(["d", "e"])
    while len(one) + len(other) < 5:
        shop.flights.step()
    assert [result.request_key for result in one] == ["a", "b", "c"]
    assert [result.text for result in other if isinstance(result, Completion)] == ["d", "e"]
    assert len(shop.made) == 1


def test_no_more_than_twice_the_slots_are_under_way() -> None:
    shop = Shop(slots=3)
    inbox = shop.send([str(number) for number in range(20)])
    while len(inbox) < 20:
        shop.flights.step()
    assert shop.made[0].peak == shop.flights.room == 6


def test_what_nobody_waits_for_is_aborted() -> None:
    shop = Shop()
    one, other = shop.send(list("abcdef")), shop.send(list("uvwxyz"))
    shop.flights.step()
    shop.flights.abandon(one)
    assert {asked.messages[0].text for asked in shop.made[0].held.values()} == set("uv")
    while len(other) < 6:
        shop.flights.step()
    assert len(one) == 2


def test_out_of_memory_goes_on_with_fewer_at_a_time() -> None:
    shop = Shop(slots=16, most=8)
    inbox = shop.send([str(number) for number in range(40)])
    while len(inbox) < 40:
        shop.flights.step()
    assert sorted(int(result.text) for result in inbox if isinstance(result, Completion)) == list(range(40))
    assert len(shop.made) == 2 and shop.made[0].freed and not shop.made[1].freed
    assert shop.made[1].peak == 4


def test_a_request_that_kills_the_engine_alone_fails_and_the_others_go_on() -> None:
    shop = Shop(slots=4)
    inbox = shop.send([*"abc", "poison", *"defghijkl"])
    while len(inbox) < 13:
        shop.flights.step()
    failures = [result for result in inbox if isinstance(result, RequestFailure)]
    assert [failure.request_key for failure in failures] == ["poison"]
    assert "gpu_memory_utilization" in failures[0].error and "EngineCore" in failures[0].error
    assert shop.made[-1].peak > 1


def test_an_engine_that_finishes_nothing_is_given_up() -> None:
    shop = Shop(poison="")
    shop.send([str(number) for number in range(40)])
    with pytest.raises(EngineError, match="died 7 times"):
        for _step in range(100):
            shop.flights.step()
    assert all(fake.freed for fake in shop.made)


def test_freeing_forgets_and_a_later_request_loads_anew() -> None:
    shop = Shop()
    shop.send(["a"])
    shop.flights.step()
    shop.flights.free()
    shop.flights.free()
    assert shop.made[0].freed
    inbox = shop.send(["b"])
    shop.flights.step()
    assert len(inbox) == 1 and len(shop.made) == 2
