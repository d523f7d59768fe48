"""Rows are found by id, in their shard's files alone, and what is missing is said."""

import os
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.errors import NotFoundError
from lgt_assets.identity import digest
from lgt_assets.lineage.reading import ShardTables, image_of, read_family, read_generations, read_row, read_rows
from lgt_assets.lineage.subject import find
from lgt_assets.schemas import frame
from lgt_assets_tests.made_tables import made_id, made_rows, rejection_row
from lgt_assets_tests.rows import SHARD, image_row, question_row


def test_a_row_is_read_whole(folder, store):
    row = read_row(ShardTables(folder, SHARD), made_id("expanded_traces"))
    assert list(row) == store.read("expanded_traces").columns
    assert row == store.read("expanded_traces").row(0, named=True)


def test_what_is_missing_is_said(folder):
    tables = ShardTables(folder, SHARD)
    with pytest.raises(NotFoundError, match=r"seed_questions has no row q\.made-00000\.0000000000000000$"):
        read_row(tables, "q.made-00000.0000000000000000")
    with pytest.raises(NotFoundError, match="shards with rows there: made-00000"):
        read_row(ShardTables(folder, "other-00000"), "q.other-00000.0000000000000000")


def test_no_other_shard_and_no_other_picture_is_read(folder, store):
    """Other shards' files may even be gone; rows of another picture of the shard are no relatives."""
    other = image_row(1, shard="other-00000", ordinal=0)
    store.replace("images", frame("images", [other]), shard="other-00000")
    second = image_row(5)
    images = [*store.read("images", shards=[SHARD]).to_dicts(), second | {"ordinal": 1}]
    store.replace("images", frame("images", images), shard=SHARD)
    questions = [*store.read("seed_questions").to_dicts(), question_row(second, [], 2, ordinal=2)]
    store.replace("seed_questions", frame("seed_questions", questions), shard=SHARD)
    for path in Path(folder.uri("images")).glob("shard=other-00000/*.parquet"):
        os.remove(path)
    tables = ShardTables(folder, SHARD)
    row_id = made_id("expanded_traces")
    family = read_family(tables, row_id, read_row(tables, row_id))
    assert second["image_id"] not in family.members
    assert sum(member.table == "seed_questions" for member in family.members.values()) == 2


def test_a_rejection_leads_to_the_picture_of_its_parent(folder, store):
    rejected = store.read("rejections").row(0, named=True)
    tables = ShardTables(folder, SHARD)
    row = read_row(tables, rejected["rejection_id"])
    assert row["asset"] == "distilled_cots"
    assert image_of(tables, rejected["rejection_id"], row) == store.read("images")["image_id"][0]
    family = read_family(tables, rejected["rejection_id"], row)
    assert family.parents(rejected["rejection_id"]) == [made_rows()["seed_questions"][0]["question_id"]]


def test_a_rejection_without_a_parent_stands_alone(folder, store):
    lone = [
        rejection_row("images", "unreadable", 0),
        rejection_row("images", "lost", 1, parent_id="q.made-00000." + "0" * 16),
    ]
    store.replace("rejections", frame("rejections", lone), shard=SHARD, asset="images")
    tables = ShardTables(folder, SHARD)
    for row in lone:
        row_id = row["rejection_id"]
        assert image_of(tables, row_id, read_row(tables, row_id)) is None
        assert list(read_family(tables, row_id, row).members) == [row_id]


def test_rows_come_by_table_and_in_data_order(folder):
    ids = [made_id("expanded_traces"), made_id("distilled_cots", 1), made_id("distilled_cots", 0)]
    assert list(read_rows(ShardTables(folder, SHARD), ids)) == [ids[2], ids[1], ids[0]]


def test_completions_are_found_by_their_keys(folder):
    key = digest("seed", 0)
    found = read_generations(ShardTables(folder, SHARD), [key, "0" * 64])
    assert list(found) == [key] and found[key]["model"] == "made" and found[key]["asset"] == "seed_questions"


def test_a_picture_is_found_by_its_sha256_and_a_completion_by_its_key(folder, store):
    image = store.read("images").row(0, named=True)
    assert find(folder, image["sha256"]).name == image["image_id"]
    found = find(folder, digest("seed", 0))
    assert (found.kind, found.shard) == ("completion", SHARD)
    assert found.row_ids == (made_rows()["seed_questions"][0]["question_id"],)


def test_a_detection_leads_to_the_boxes_that_were_found_in_it(folder, store):
    key = digest("seed", 0)
    boxes = [row | {"request_key": key} for row in store.read("grounded_objects").to_dicts()]
    store.replace("grounded_objects", frame("grounded_objects", boxes), shard=SHARD)
    found = find(folder, key)
    assert found.kind == "completion" and boxes[0]["object_id"] in found.row_ids


def test_a_completion_that_voted_leads_to_what_it_judged(folder, store):
    key = digest("seed", 0)
    vote = {"check": "consistency", "withheld_id": None, "request_key": key, "answer_index": 0, "correct": True}
    traces = store.read("expanded_traces").with_columns(
        pl.lit([vote], dtype=store.read("expanded_traces").schema["votes"]).alias("votes")
    )
    store.replace("expanded_traces", traces, shard=SHARD)
    assert find(folder, key).row_ids == (made_rows()["seed_questions"][0]["question_id"], made_id("expanded_traces"))


def test_a_picture_of_two_shards_must_be_named_by_its_id(folder, store):
    image = store.read("images").row(0, named=True)
    twin = image | {"shard": "twin-00000", "image_id": image["image_id"].replace(SHARD, "twin-00000")}
    store.replace("images", frame("images", [twin]), shard="twin-00000")
    with pytest.raises(NotFoundError, match="several shards: name one of i.made-00000.*i.twin-00000"):
        find(folder, image["sha256"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "is not a row id; .* sha256 of a picture or a shard may be named"),
        ("0" * 64, "neither the key of a completion in generations nor the sha256"),
        ("made-00007", "no table has rows of the shard made-00007; there are made-00000"),
        ("e.made-00007.0000000000000000", "expanded_traces has no row .* shards with rows there: made-00000"),
    ],
)
def test_what_names_nothing_is_an_error_that_says_what_could(folder, text, words):
    with pytest.raises(NotFoundError, match=words):
        find(folder, text)


def test_nothing_is_there_yet(tmp_path):
    from lgt_assets.delta_files import TableFolder

    for text in ("0" * 64, "made-00000", "q.made-00000.0000000000000000"):
        with pytest.raises(NotFoundError):
            find(TableFolder(str(tmp_path)), text)
