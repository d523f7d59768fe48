"""What shares a picture or the start of a prompt is sent together, nothing is lost, and little is held."""

from collections.abc import Iterator
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.base import ImageReference, Message, Request, Sampling
from lgt_assets.engines.request_order import neighbours, neighbours_first


def ask(image: str, text: str, prefix: str = "", seed: int = 0) -> Request:
    images = (ImageReference(image * 64, f"/{image}.png"),) if image else ()
    return Request((Message("system", "Look."), Message("user", text, images)), Sampling(), seed, prefix)


def test_pictures_then_texts_then_prefixes() -> None:
    mixed = [
        ask("a", "1"),
        ask("b", "1"),
        ask("a", "2"),
        ask("", "1"),
        ask("b", "1", "p"),
        ask("a", "1", "p"),
        ask("b", "1"),
    ]
    order = [0, 5, 2, 1, 6, 4, 3]
    assert [mixed.index(one) for one in neighbours(mixed)] == [mixed.index(mixed[place]) for place in order]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.sampled_from(["", "p"]), st.integers(0, 2))))
def test_groups_are_whole_in_order_of_first_sight(rows: list[tuple[str, str, str, int]]) -> None:
    requests = [ask(*row) for row in rows]
    ordered = neighbours(requests)
    assert sorted(map(repr, ordered)) == sorted(map(repr, requests))
    for part in (lambda one: one.messages[1].images, lambda one: one.messages, lambda one: (one.messages, one.prefix)):
        seen = list(dict.fromkeys(map(part, ordered)))
        runs = [part(one) for place, one in enumerate(ordered) if place == 0 or part(ordered[place - 1]) != part(one)]
        assert runs == seen
    assert neighbours(ordered) == ordered
    for message in {one.messages for one in requests}:
        alike = [one for one in requests if one.messages == message and not one.prefix]
        assert [one for one in ordered if one in alike] == alike


def test_a_window_is_held_and_no_more() -> None:
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        while True:
            taken += 1
            yield ask("ab"[taken % 2], str(taken))

    got = list(islice(neighbours_first(endless(), 8), 12))
    assert taken == 16
    assert [one.messages[1].images[0].uri for one in got[:8]] == ["/b.png"] * 4 + ["/a.png"] * 4
