"""Traces against their answers."""

from pathlib import Path

import pytest

from lgt_assets.identity import digest, row_id
from lgt_assets.quality.consistency import consistency
from lgt_assets.quality.findings import Slice
from lgt_assets.schemas import frame
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import made_rows
from lgt_assets_tests.rows import SHARD

PROFILE = load_profile("embedded")
COUNT = 80


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return DeltaStore(str(tmp_path / "tables"))


def cots(changes: dict[int, dict]) -> list[dict]:
    """Chains that state their answer, red at A."""
    made = made_rows()["distilled_cots"][0]
    return [
        made | {
            "ordinal": n, "sample_index": n, "cot_id": row_id("distilled_cots", SHARD, n), "thought": "The answer is red.",
            "request_key": digest(n),
        } | changes.get(n, {})
        for n in range(COUNT)
    ]  # fmt: skip


def traces(changes: dict[int, dict]) -> list[dict]:
    made = made_rows()["expanded_traces"][0]
    return [
        made | {
            "ordinal": n, "trace_id": row_id("expanded_traces", SHARD, n), "cot_id": row_id("distilled_cots", SHARD, n),
            "added_thought": "So the answer is red.", "request_key": digest("trace", n),
        } | changes.get(n, {})
        for n in range(COUNT)
    ]  # fmt: skip


def measured(store: DeltaStore, table: str, rows: list[dict], *, thoughts_read: int = 2000) -> object:
    store.replace(table, frame(table, rows), shard=SHARD)
    checks = PROFILE.checks.model_copy(update={"thoughts_read": thoughts_read})
    return consistency(Slice(store, table, SHARD, PROFILE.model_copy(update={"checks": checks})))


def test_chains_that_say_what_they_answer_pass(store: DeltaStore) -> None:
    found = measured(store, "distilled_cots", cots({}))
    assert found.passed and found.numbers["thoughts_that_conclude"] == COUNT and found.numbers["contradictions"] == 0


def test_one_wrong_flag_is_enough(store: DeltaStore) -> None:
    found = measured(store, "distilled_cots", cots({7: {"is_correct": False}}))
    assert not found.passed and found.numbers["wrong_flags"] == 1


def test_thoughts_that_come_to_another_answer_are_counted(store: DeltaStore) -> None:
    wrong = {n: {"thought": "The answer is green."} for n in range(10)}
    found = measured(store, "distilled_cots", cots(wrong))
    assert not found.passed and (found.numbers["wrong_flags"], found.numbers["contradictions"]) == (0, 10)


def test_a_sample_of_thoughts_is_the_same_whenever_it_is_drawn(store: DeltaStore) -> None:
    wrong = {n: {"thought": "The answer is green."} for n in range(40)}
    first = measured(store, "distilled_cots", cots(wrong), thoughts_read=60)
    again = measured(store, "distilled_cots", [row | {"ordinal": COUNT - row["ordinal"]} for row in reversed(cots(wrong))],
                     thoughts_read=60)  # fmt: skip
    assert first.numbers == again.numbers and first.numbers["thoughts_drawn"] == 60


@pytest.mark.parametrize("change", [{"is_correct": False, "transition": "OX"}, {"transition": "XO"}])
def test_flags_of_expanded_traces_follow_from_both_answers(store: DeltaStore, change: dict) -> None:
    store.replace("distilled_cots", frame("distilled_cots", cots({})), shard=SHARD)
    assert measured(store, "expanded_traces", traces({})).passed
    found = measured(store, "expanded_traces", traces({3: change}))
    assert not found.passed and found.numbers["wrong_flags"] == 1


def test_expanded_thoughts_are_read_with_the_simple_ones(store: DeltaStore) -> None:
    store.replace("distilled_cots", frame("distilled_cots", cots({})), shard=SHARD)
    wrong = {n: {"added_thought": "No, the answer is green."} for n in range(COUNT // 2)}
    found = measured(store, "expanded_traces", traces(wrong))
    assert not found.passed and found.numbers["contradictions"] == COUNT // 2
