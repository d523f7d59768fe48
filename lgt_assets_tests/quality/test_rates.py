"""Rates of a shard: duplicates, blind answers, acceptance, lengths."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lgt_assets.quality import rates
from lgt_assets.quality.findings import Finding, Slice
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile, load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import funnel_row
from lgt_assets_tests.rows import SHARD, image_row, object_row, question_row

PROFILE = load_profile("embedded")
COUNT = 100


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return DeltaStore(str(tmp_path / "tables"))


def measured(
    store: DeltaStore, measure: Callable[[Slice], Finding], rows: list[dict], *, previous: dict | None = None,
    profile: Profile = PROFILE,
) -> Finding:  # fmt: skip
    """The measure of seed questions that differ from ordinary ones by ``rows``."""
    image = image_row()
    whole = [
        question_row(image, [object_row(image)], n, question=f"What is thing {n}?") | row for n, row in enumerate(rows)
    ]
    store.replace("seed_questions", frame("seed_questions", whole), shard=SHARD)
    return measure(Slice(store, "seed_questions", SHARD, profile, previous or {}))


def test_near_duplicates_of_a_picture_are_counted(store: DeltaStore) -> None:
    rows: list[dict] = [{} for _ in range(COUNT)]
    assert measured(store, rates.duplicates, rows).passed
    for n in range(10):
        rows[50 + n] = {"question": f"What is the thing {n} in the picture?"}
    found = measured(store, rates.duplicates, rows)
    assert not found.passed and found.numbers["near_duplicates"] == 10 and found.numbers["rate"] == 0.1
    assert f"such as q.{SHARD}." in found.said and "What is" not in found.said


def test_rows_whose_answer_is_no_choice_ask_nothing(store: DeltaStore) -> None:
    rows = [{"answer_index": n} for n in (-1, 0, 9)]
    assert measured(store, rates.duplicates, rows).numbers["questions"] == 1


def test_the_same_question_of_another_picture_is_none(store: DeltaStore) -> None:
    images = [image_row(n)["image_id"] for n in range(COUNT)]
    rows = [{"question": "What colour is it?", "image_id": image} for image in images]
    assert measured(store, rates.duplicates, rows).numbers["near_duplicates"] == 0


@pytest.mark.parametrize(("mean", "passed"), [(0.25, True), (0.5, True), (0.8, False)])
def test_blindness_warns_when_it_is_surely_too_high(store: DeltaStore, mean: float, passed: bool) -> None:
    rows = [{"blindness": float(n < mean * COUNT)} for n in range(COUNT)]
    found = measured(store, rates.blindness, rows)
    assert found.passed is passed and found.numbers["mean"] == pytest.approx(mean)


def test_questions_without_blind_votes_are_not_judged(store: DeltaStore) -> None:
    found = measured(store, rates.blindness, [{"blindness": None} for _ in range(COUNT)])
    assert found.passed and found.numbers["judged"] == "too few to judge"


@pytest.mark.parametrize(("accepted", "passed"), [(90, True), (45, True), (30, False)])
def test_acceptance_is_read_from_the_funnel(store: DeltaStore, accepted: int, passed: bool) -> None:
    row = funnel_row("seed_questions", accepted=accepted, rejected=COUNT - accepted)
    store.replace("funnel", frame("funnel", [row]), shard=SHARD, asset="seed_questions")
    other = funnel_row("images", accepted=0, rejected=1000)
    store.replace("funnel", frame("funnel", [other]), shard=SHARD, asset="images")
    found = measured(store, rates.acceptance, [{}])
    assert found.passed is passed and found.numbers["rate"] == accepted / COUNT


def test_an_asset_may_have_a_floor_of_its_own(store: DeltaStore) -> None:
    row = funnel_row("seed_questions", accepted=30, rejected=70)
    store.replace("funnel", frame("funnel", [row]), shard=SHARD, asset="seed_questions")
    checks = PROFILE.checks.model_copy(update={"acceptance_by_asset": {"seed_questions": 0.3}})
    assert measured(store, rates.acceptance, [{}], profile=PROFILE.model_copy(update={"checks": checks})).passed


def test_lengths_are_held_against_the_time_before(store: DeltaStore) -> None:
    short = measured(store, rates.length_drift, [{"question": "x" * 40} for _ in range(COUNT)])
    assert short.passed and short.said == "nothing to compare with yet"
    assert short.numbers["mean question"] == 40
    longer = [{"question": "x" * 60} for _ in range(COUNT)]
    found = measured(store, rates.length_drift, longer, previous=short.numbers)
    assert not found.passed and found.numbers["change of question"] == 0.5 and "question +50.0%" in found.said
    slightly = [{"question": "x" * 44} for _ in range(COUNT)]
    assert measured(store, rates.length_drift, slightly, previous=short.numbers).passed
    few = short.numbers | {"rows": 3}
    assert measured(store, rates.length_drift, longer, previous=few).said == "nothing to compare with yet"
