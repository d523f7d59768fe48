"""What a detector found becomes rows: overlaps, sizes, numbers, and what is said of pictures that stay without a box."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.detector import Detection, detections_text, query_of
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.settings import DetectSettings
from lgt_assets.synthesis.detected_objects import (
    Candidate,
    build_objects,
    count_boxes,
    intersection_over_union,
    plan_detections,
    sift,
    without_boxes,
)
from lgt_assets.synthesis.phrases import Phrase
from lgt_assets.synthesis.planned import Outcome
from lgt_assets_tests.rows import SHARD, image_row, object_row
from lgt_assets_tests.synthesis.made import answer

SETTINGS = DetectSettings(minimum_share=0.001, maximum_share=0.9, boxes=3)
MUG, SPOON = Phrase("White mug", "mug"), Phrase("silver spoon", "spoon")


def candidate(box: tuple[float, float, float, float], score: float, phrase: Phrase | None = MUG) -> Candidate:
    return Candidate(Detection(*box, score, None if phrase is None else 0), phrase, "ab" * 32)


def verdicts(
    *candidates: Candidate, area: float = 10_000, settings: DetectSettings = SETTINGS
) -> list[tuple[float, str | None]]:
    return [(one.found.score, reason) for one, reason in sift(candidates, area, settings)]


def test_of_boxes_of_one_label_that_overlap_the_best_stays() -> None:
    worse, best = candidate((0, 0, 40, 40), 0.5), candidate((2, 2, 42, 42), 0.8)
    apart, other = candidate((50, 50, 90, 90), 0.4), candidate((2, 2, 42, 42), 0.3, SPOON)
    assert verdicts(worse, best, apart, other, settings=SETTINGS) == [
        (0.8, None), (0.5, "overlaps_better_box"), (0.4, None), (0.3, None),
    ]  # fmt: skip


def test_phrases_of_one_label_are_one_kind_of_thing() -> None:
    again = candidate((0, 0, 40, 40), 0.5, replace(MUG, phrase="mug"))
    assert verdicts(candidate((0, 0, 40, 40), 0.8), again) == [(0.8, None), (0.5, "overlaps_better_box")]


def test_a_refused_box_suppresses_nothing() -> None:
    large, unclear = candidate((0, 0, 100, 100), 0.9), candidate((0, 0, 40, 40), 0.85, None)
    assert verdicts(large, unclear, candidate((0, 0, 90, 90), 0.8)) == [
        (0.9, "box_too_large"), (0.85, "unclear_phrase"), (0.8, None),
    ]  # fmt: skip


def test_sizes_and_numbers_have_limits() -> None:
    boxes = [candidate((20.0 * n, 0, 20.0 * n + 10, 10), 0.9 - n / 10) for n in range(4)]
    assert [reason for _score, reason in verdicts(*boxes)] == [None, None, None, "too_many_boxes"]
    assert verdicts(candidate((0, 0, 3, 3), 0.5)) == [(0.5, "box_too_small")]
    for box in [(5, 5, 5, 9), (9, 9, 5, 5)]:  # whatever the limit, a row's box has an area
        assert verdicts(candidate(box, 0.5), settings=DetectSettings(minimum_share=0)) == [(0.5, "box_too_small")]


edges = st.tuples(*[st.integers(0, 100)] * 4).map(
    lambda e: (min(e[0], e[1]), min(e[2], e[3]), max(e[0], e[1]), max(e[2], e[3]))
)
made = st.builds(candidate, edges, st.integers(1, 100).map(lambda n: n / 100), st.sampled_from([MUG, SPOON, None]))


@given(st.lists(made, max_size=25), st.randoms())
def test_sifting_keeps_a_set_that_does_not_overlap_whatever_the_order(candidates: list[Candidate], shuffler) -> None:
    settings = DetectSettings(minimum_share=0.001, maximum_share=0.9, boxes=6)
    found = list(sift(candidates, 10_000, settings))
    assert len(found) == len(candidates)
    kept = [one for one, reason in found if reason is None]
    for place, one in enumerate(kept):
        for better in kept[:place]:
            assert better.found.score >= one.found.score
            if better.phrase.label == one.phrase.label:
                assert intersection_over_union(better.found, one.found) <= settings.overlap
    for one, reason in found:
        if reason == "overlaps_better_box":
            assert any(
                intersection_over_union(better.found, one.found) > settings.overlap and better.found.score >= one.found.score
                for better in kept if better.phrase.label == one.phrase.label
            )  # fmt: skip
    assert [reason for _one, reason in sift(kept, 10_000, settings)] == [None] * len(kept) and len(kept) <= 6
    shuffler.shuffle(candidates)
    assert list(sift(candidates, 10_000, settings)) == found


@given(edges, edges)
def test_intersection_over_union_is_that_of_the_pixels(one: tuple, other: tuple) -> None:
    pixels = [{(x, y) for x in range(x0, x1) for y in range(y0, y1)} for x0, y0, x1, y1 in (one, other)]
    expected = len(pixels[0] & pixels[1]) / len(pixels[0] | pixels[1]) if pixels[0] | pixels[1] else 0.0
    first, second = (Detection(*box, 1.0, 0) for box in (one, other))
    assert intersection_over_union(first, second) == pytest.approx(expected) == intersection_over_union(second, first)


def images(count: int = 2) -> pl.DataFrame:
    return frame("images", [image_row(number, width=100, height=100) for number in range(count)])


def test_only_pictures_without_a_box_are_looked_at_phrases_together() -> None:
    rows = images(3).to_dicts()
    bare = without_boxes(images(3), [object_row(rows[1])])
    assert [row["image_id"] for row in bare] == [rows[0]["image_id"], rows[2]["image_id"]]
    many = [Phrase(f"ball {n}", "ball") for n in range(5)]
    planned = list(plan_detections(bare, {rows[0]["image_id"]: many}, settings=DetectSettings(phrases_per_request=2)))
    assert [query_of(one.request).phrases for one in planned] == [
        ("ball 0", "ball 1"),
        ("ball 2", "ball 3"),
        ("ball 4",),
    ]
    assert {query_of(one.request).image.sha256 for one in planned} == {rows[0]["sha256"]}


def test_rows_say_who_found_them_where_and_by_which_words() -> None:
    rows = images().to_dicts()
    given_box = object_row(rows[1])
    planned = list(plan_detections(rows[:1], {rows[0]["image_id"]: [MUG, SPOON]}, settings=SETTINGS))
    found = [
        Detection(1, 2, 30, 40, 0.7, 0), Detection(50, 50, 80, 80, 0.9, 1), Detection(2, 2, 30, 40, 0.5, 0),
        Detection(0, 0, 9, 9, 0.4, None, "white"),
    ]  # fmt: skip
    answered = answer(planned, lambda _one: detections_text(found))
    outcome = build_objects(SHARD, images(), [given_box], answered, Outcome(), settings=SETTINGS, detector="tiny@1")
    made_rows = list(outcome.rows)
    SCHEMAS["grounded_objects"].validate(frame("grounded_objects", made_rows))
    assert [(row["label"], row["phrase"], row["score"], row["box_source"]) for row in made_rows] == [
        ("spoon", "silver spoon", 0.9, "tiny@1"), ("mug", "White mug", 0.7, "tiny@1"), ("ball", "red ball", 1.0, "human"),
    ]  # fmt: skip
    assert [row["ordinal"] for row in made_rows] == [0, 1, 2] and made_rows[2]["object_id"] == given_box["object_id"]
    assert {row["request_key"] for row in made_rows[:2]} == {answered[0].request_key}
    rejections = frame("rejections", list(outcome.rejections))
    SCHEMAS["rejections"].validate(rejections)
    assert rejections["reason"].to_list() == ["overlaps_better_box", "unclear_phrase"]
    assert rejections["measures"].to_list() == [[{"name": "score", "value": 0.5}], [{"name": "score", "value": 0.4}]]


def test_pictures_that_stay_without_a_box_are_counted_and_what_that_means_is_said() -> None:
    outcome = build_objects(
        SHARD, images(3), [object_row(images(3).row(1, named=True))], [], Outcome(), settings=SETTINGS, detector=""
    )
    notes = count_boxes(outcome, images(3), may_detect=False).notes
    assert notes["pictures_without_boxes"] == 2
    assert notes["without_boxes"].startswith("2 of 3 pictures have no boxes: they are asked about as whole scenes only")
    assert "bind the role `detector`" in notes["without_boxes"]
    assert "bind the role" not in count_boxes(outcome, images(3), may_detect=True).notes["without_boxes"]


def test_nothing_is_said_where_all_have_boxes() -> None:
    rows = [object_row(row) for row in images().to_dicts()]
    outcome = build_objects(SHARD, images(), rows, [], Outcome(), settings=SETTINGS, detector="")
    assert count_boxes(outcome, images(), may_detect=False).notes == {"pictures_without_boxes": 0}
