from pathlib import Path

import polars as pl
import pytest

from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.training.contamination import exported_questions
from lgt_assets.training.evaluations import TABLE, ScoredModel, asked_by, evaluate, latest
from lgt_assets.training.held_out import IN_DOMAIN, OPEN_FORM
from lgt_assets.training.students import student_folder
from lgt_assets.validation import validate

ROW = {
    "number": 1, "release_id": "r", "stage": "sft", "recipe": "long", "seed": "0", "weights": "0" * 16, "suite": IN_DOMAIN,
    "type": "all", "n": 10, "right": 4, "low": 0.1, "high": 0.7, "well_formed": 9, "tokens": 100, "seconds": 1.0,
}  # fmt: skip


def test_the_latest_of_equal_keys_counts_whatever_the_order() -> None:
    rows = frame(TABLE, [ROW | {"number": 3, "right": 6}, ROW, ROW | {"seed": "1", "number": 2}])
    assert latest(rows).select("seed", "right").rows() == [("0", 6), ("1", 4)]


def test_what_an_earlier_and_larger_run_counted_of_other_types_counts_no_more() -> None:
    earlier = [ROW | {"type": kind, "n": n} for kind, n in (("all", 500), ("Counting", 100), ("hops: 2", 40))]
    later = [ROW | {"number": 2, "type": kind, "n": 5} for kind in ("all", "Counting")]
    other = [ROW | {"seed": "1", "type": "hops: 2"}, ROW | {"suite": OPEN_FORM, "type": "hops: 2"}]
    kept = latest(frame(TABLE, earlier + later + other))
    assert sorted(kept.select("seed", "suite", "type", "n").rows()) == sorted([
        ("0", IN_DOMAIN, "all", 5), ("0", IN_DOMAIN, "Counting", 5), ("1", IN_DOMAIN, "hops: 2", 10),
        ("0", OPEN_FORM, "hops: 2", 10),
    ])  # fmt: skip


def test_two_runs_of_one_number_count_once() -> None:
    twice = [ROW | {"type": kind, "right": right} for right in (4, 5) for kind in ("all", "Counting")]
    assert latest(frame(TABLE, twice)).select("type", "right").rows() == [("Counting", 5), ("all", 5)]


def test_rows_with_an_unknown_stage_are_refused() -> None:
    with pytest.raises(Exception, match="stage"):
        validate(TABLE, frame(TABLE, [ROW | {"stage": "warmed"}]))


@pytest.mark.slow
def test_a_model_is_scored_by_suites_that_it_lacks(export: Path, tmp_path: Path) -> None:
    store = DeltaStore(str(tmp_path / "tables"))
    model = ScoredModel(tmp_path, "r", "student", "", "", student_folder())
    first = evaluate(store, model, export, {IN_DOMAIN: 5})
    version, told = store.version(TABLE), []
    both = evaluate(store, model, export, {IN_DOMAIN: 5, OPEN_FORM: 2}, progress=lambda *done: told.append(done))
    assert store.version(TABLE) == version + 1 and told == [(OPEN_FORM, 1, 2), (OPEN_FORM, 2, 2)]
    assert both.filter(pl.col("suite") == IN_DOMAIN).equals(first)
    asked = asked_by(model.answers)
    assert [one.suite for one in asked] == [IN_DOMAIN] * 5 + [OPEN_FORM] * 2
    assert not {one.prompt for one in asked} & {one.prompt for one in exported_questions(export)}
