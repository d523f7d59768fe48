"""Positions of right answers and types of questions."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lgt_assets.quality.balance import answer_positions, chi_square, type_quotas
from lgt_assets.quality.findings import Slice
from lgt_assets.schemas import frame
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.rows import SHARD, image_row, object_row, question_row

PROFILE = load_profile("embedded")
TYPES = PROFILE.questions.types


def questions(tmp_path: Path, positions: list[int], types: list[str] | None = None, *, choices: int = 4) -> Slice:
    image = image_row()
    rows = [
        question_row(
            image, [object_row(image)], n, answer_index=position, choices=[f"choice {c}" for c in range(choices)],
            question_type=types[n] if types else TYPES[n % len(TYPES)],
        )
        for n, position in enumerate(positions)
    ]  # fmt: skip
    store = DeltaStore(str(tmp_path / "tables"))
    store.replace("seed_questions", frame("seed_questions", rows), shard=SHARD)
    return Slice(store, "seed_questions", SHARD, PROFILE)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8).filter(any))
def test_one_group_is_judged_as_scipy_judges_it(counts: list[int]) -> None:
    statistic, freedom, p = chi_square([counts])
    expected = stats.chisquare(counts)
    assert freedom == len(counts) - 1
    assert (statistic, p) == pytest.approx((expected.statistic, expected.pvalue))


def test_groups_of_different_numbers_of_choices_add_up() -> None:
    first, second = [30, 10], [10, 20, 30]
    statistic, freedom, p = chi_square([first, second])
    assert statistic == pytest.approx(stats.chisquare(first).statistic + stats.chisquare(second).statistic)
    assert freedom == 3 and p == pytest.approx(stats.chi2.sf(statistic, 3))
    assert chi_square([]) == chi_square([[0, 0]]) == (0.0, 0, 1.0)
    assert chi_square([first, [0, 0, 0]]) == chi_square([first])


def test_shuffled_answers_pass(tmp_path: Path) -> None:
    generator = random.Random(0)
    found = answer_positions(questions(tmp_path, [generator.randrange(4) for _ in range(400)]))
    assert found.passed and found.numbers["p"] > 0.001
    assert sum(found.numbers[f"right at {letter}"] for letter in "ABCD") == found.numbers["questions"] == 400


def test_answers_that_are_mostly_the_first_are_told(tmp_path: Path) -> None:
    found = answer_positions(questions(tmp_path, [0] * 150 + [1] * 50 + [2] * 50 + [3] * 50))
    assert not found.passed
    assert found.numbers["p"] < 1e-9 and found.numbers["largest_deviation"] == 0.25
    assert "shuffled" in found.said


def test_a_deviation_that_is_certain_and_tiny_is_no_matter(tmp_path: Path) -> None:
    found = answer_positions(questions(tmp_path, [0] * 5400 + [1] * 4600, choices=2))
    assert found.numbers["p"] < 1e-9 and found.passed


def test_a_small_shard_is_not_judged(tmp_path: Path) -> None:
    found = answer_positions(questions(tmp_path, [0] * 49))
    assert found.passed and found.numbers["judged"] == "too few to judge"
    assert found.numbers["least"] == PROFILE.checks.minimum_rows
    assert "too few" in type_quotas(questions(tmp_path, [0] * 49)).said


def test_positions_that_are_no_choice_are_not_counted(tmp_path: Path) -> None:
    assert answer_positions(questions(tmp_path, [9] * 100)).numbers["questions"] == 0
    found = answer_positions(questions(tmp_path, [-1] * 50 + [9] * 50 + list(range(4)) * 20))
    assert found.passed and found.numbers["questions"] == 80


def test_types_in_even_shares_pass(tmp_path: Path) -> None:
    found = type_quotas(questions(tmp_path, [0] * 100))
    assert found.passed and found.numbers[f"of type {TYPES[0]}"] == 25


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ([TYPES[0]] * 70 + [TYPES[1]] * 10 + [TYPES[2]] * 10 + [TYPES[3]] * 10, "at most 50.0%"),
        ([TYPES[0]] * 40 + [TYPES[1]] * 40 + [TYPES[2]] * 20, f"{TYPES[3]} is 0.0%"),
        ([*TYPES] * 17 + ["Astrology"] * 32, "types that the profile does not name (astrology)"),
    ],
)
def test_a_type_that_takes_over_is_missing_or_unknown_is_told(tmp_path: Path, types: list[str], said: str) -> None:
    found = type_quotas(questions(tmp_path, [0] * len(types), types))
    assert not found.passed and said in found.said
