"""Rows come in the order of the hash in their ids, all of them, however they were added."""

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.release import hash_order
from lgt_assets.release.hash_order import HashOrder


def made(folder: Path, key: str, rows: int) -> HashOrder:
    return HashOrder(folder / "rows", key, "value", rows)


IDS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=200)


@given(numbers=IDS, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), expected=st.integers(0, 20_000_000))
def test_the_order_is_that_of_the_hash_whatever_the_buckets(numbers, sizes, expected):
    ids = [f"s.made-{number % 7:05}.{number:016x}" for number in numbers]
    rows = pl.DataFrame(
        {"example_id": ids, "value": [f"é{n % 3}" for n in range(len(ids))]}, schema_overrides={"value": pl.String}
    )
    with tempfile.TemporaryDirectory() as folder, made(Path(folder), "example_id", expected) as order:
        start, turn = 0, 0
        while start < rows.height:
            order.add(rows.slice(start, sizes[turn % len(sizes)]))
            start, turn = start + sizes[turn % len(sizes)], turn + 1
        found = pl.concat([rows.clear(), *(bucket.clone() for bucket in order.buckets())])
    for value in rows["value"].unique():
        own = [row for row in rows.rows() if row[1] == value]
        assert found.filter(value=value).rows() == sorted(own, key=lambda row: (row[0][-16:], row[0]))
    assert found.height == rows.height


def test_values_are_kept_apart_within_a_bucket(tmp_path: Path):
    with made(tmp_path, "id", 1) as order:
        order.add(pl.DataFrame({"id": [f"s.made-00000.{n:016x}" for n in range(9)], "value": list("abcbacabc")}))
        (rows,) = order.buckets()
    assert rows["value"].to_list() == sorted("abcbacabc")


def test_what_is_held_is_written_when_it_is_much(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(hash_order, "_HELD_BYTES", 1000)
    with made(tmp_path, "id", 8 * hash_order.ROWS_PER_BUCKET) as order:
        for number in range(64):
            order.add(
                pl.DataFrame(
                    {"id": [f"s.made-00000.{number * 0x0400_0000_0000_0000 % 2**64:016x}"], "value": ["x" * 900]}
                )
            )
        assert len(list((tmp_path / "rows").iterdir())) == 8
        assert sum(bucket.height for bucket in order.buckets()) == 64
