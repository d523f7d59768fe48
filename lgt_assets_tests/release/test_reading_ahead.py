"""Reading ahead gives the same items and errors, and ends with its user."""

import threading

import pytest

from lgt_assets.release.reading_ahead import reading_ahead


def test_items_come_in_order():
    assert list(reading_ahead(iter(range(100)))) == list(range(100))
    assert list(reading_ahead(iter([]))) == []


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield from (1, 2)
        raise KeyError("gone")

    found = []
    with pytest.raises(KeyError, match="gone"):
        found.extend(reading_ahead(items()))
    found = []
    with pytest.raises(KeyError):
        for item in reading_ahead(items()):
            found.append(item)
    assert found == [1, 2]


def test_a_user_who_stops_early_stops_the_thread():
    made = []

    def items():
        for number in range(10_000):
            made.append(number)
            yield number

    before = threading.active_count()
    ahead = reading_ahead(items())
    assert next(ahead) == 0
    ahead.close()
    assert threading.active_count() == before and len(made) < 10
