"""What closes the gate: models, keys, parents, on real Delta tables."""

from pathlib import Path

import pytest

from lgt_assets.identity import row_id
from lgt_assets.quality import rules
from lgt_assets.quality.findings import Slice
from lgt_assets.quality.verified import files_of, is_verified, note_verified
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import REFERENCES
from lgt_assets_tests.made_tables import made_rows, write_made_tables
from lgt_assets_tests.rows import SHARD, image_row


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return write_made_tables(tmp_path)


def written(store: DeltaStore, table: str, *changes: dict) -> Slice:
    """The made rows of a table, of which the first ones are changed, as stored."""
    rows = made_rows()[table]
    for number, change in enumerate(changes):
        rows[number] |= change
    store.replace(table, frame(table, rows), shard=SHARD)
    return Slice(store, table, SHARD)


@pytest.mark.parametrize("table", REFERENCES)
def test_good_tables_keep_every_rule(store: DeltaStore, table: str) -> None:
    for rule in (rules.schema, rules.keys, rules.parents):
        found = rule(Slice(store, table, SHARD))
        assert found.passed, (table, found)


def test_a_row_that_breaks_the_model_is_named(store: DeltaStore) -> None:
    found = rules.schema(written(store, "seed_questions", {"question": ""}))
    assert not found.passed and "question breaks" in found.said
    assert found.numbers["rows"] == 2


def test_a_large_slice_is_held_against_its_model_a_batch_at_a_time(
    store: DeltaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "BATCH_ROWS", 2)
    store.replace("images", frame("images", [image_row(n) for n in range(7)]), shard=SHARD)
    assert rules.schema(Slice(store, "images", SHARD)).numbers["rows"] == 7
    twice = [image_row(n) for n in range(7)]
    twice[6] = twice[0] | {"ordinal": 6}
    store.replace("images", frame("images", twice), shard=SHARD)
    assert "field_uniqueness" in rules.schema(Slice(store, "images", SHARD)).said


@pytest.mark.parametrize(
    ("wrong_id", "number"),
    [
        (row_id("composed_questions", SHARD, 1), "malformed_or_foreign"),  # of another table
        (row_id("seed_questions", "other-00000", 1), "malformed_or_foreign"),  # of another shard
        (f"q.{SHARD}.0123", "malformed_or_foreign"),
        (made_rows()["seed_questions"][1]["question_id"], "repeated"),
    ],
)
def test_an_id_that_could_be_anothers_is_found(store: DeltaStore, wrong_id: str, number: str) -> None:
    found = rules.keys(written(store, "seed_questions", {"question_id": wrong_id}))
    assert not found.passed and found.numbers[number] > 0
    assert wrong_id in found.said


@pytest.mark.parametrize(
    ("table", "column", "lost"),
    [
        ("seed_questions", "object_ids", [row_id("grounded_objects", SHARD, "gone")]),
        ("expanded_traces", "cot_id", row_id("distilled_cots", SHARD, "gone")),
        ("preference_pairs", "rejected_id", row_id("distilled_cots", SHARD, "gone")),
        ("sft_mix", "origin_id", row_id("expanded_traces", SHARD, "gone")),
    ],
)
def test_a_named_row_that_is_not_there_is_found(store: DeltaStore, table: str, column: str, lost: object) -> None:
    found = rules.parents(written(store, table, {column: lost}))
    assert not found.passed and f"{column}: 1 not in" in found.said
    assert found.numbers[f"{column} missing"] == 1


def test_a_slice_is_known_to_be_whole_until_it_or_its_parents_are_written(store: DeltaStore) -> None:
    note_verified(store, "seed_questions", SHARD, files_of(store, "seed_questions", SHARD))
    assert is_verified(store, "seed_questions", SHARD, files_of(store, "seed_questions", SHARD))
    store.replace("images", frame("images", [image_row(0, shard="other-00000")]), shard="other-00000")
    assert is_verified(store, "seed_questions", SHARD, files_of(store, "seed_questions", SHARD))
    written(store, "images", {"caption": "Another."})
    assert not is_verified(store, "seed_questions", SHARD, files_of(store, "seed_questions", SHARD))
