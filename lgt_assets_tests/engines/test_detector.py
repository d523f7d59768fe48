"""Queries and detections as requests and texts: what is stored is what was found, under a key of all that decides it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.base import ImageReference, Message, ModelIdentity, Request, Sampling, request_key
from lgt_assets.engines.detector import (
    Detection,
    DetectionQuery,
    QueryUnusable,
    detection_request,
    detections_text,
    parse_detections,
    query_of,
)
from lgt_assets.errors import EngineError

QUERY = DetectionQuery(ImageReference("ab" * 32, "one.png"), ("red ball", "dog"), 0.3, 0.25)
MODEL = ModelIdentity("made", "1", min_pixels=800, max_pixels=1333)
edges = st.floats(0, 5000).map(lambda edge: round(edge, 1))
found = st.builds(
    Detection, edges, edges, edges, edges, st.floats(0, 1).map(lambda score: round(score, 4)), st.none() | st.integers(0, 9),
    st.text(st.characters(exclude_categories=["Cs"])),
)  # fmt: skip


@given(st.lists(found))
def test_what_is_stored_is_what_was_found_best_first(detections: list[Detection]) -> None:
    read = parse_detections(detections_text(detections))
    assert sorted(map(repr, read)) == sorted(map(repr, detections))
    assert [one.score for one in read] == sorted((one.score for one in detections), reverse=True)
    assert detections_text(reversed(detections)) == detections_text(detections)


def test_a_request_gives_its_query_back() -> None:
    assert query_of(detection_request(QUERY)) == QUERY


@pytest.mark.parametrize(
    "changes",
    [
        {"image": ImageReference("cd" * 32, "one.png")},
        {"phrases": ("red ball",)},
        {"phrases": ("dog", "red ball")},
        {"box_threshold": 0.31},
        {"text_threshold": 0.2},
    ],
)
def test_all_that_decides_a_detection_is_in_its_key(changes: dict) -> None:
    key = request_key(MODEL, detection_request(QUERY))
    assert request_key(MODEL, detection_request(replace(QUERY, **changes))) != key


@pytest.mark.parametrize("changes", [{"name": "other"}, {"revision": "2"}, {"min_pixels": 640}, {"max_pixels": 1000}])
def test_so_is_what_names_the_model(changes: dict) -> None:
    request = detection_request(QUERY)
    assert request_key(replace(MODEL, **changes), request) != request_key(MODEL, detection_request(QUERY))


def test_where_the_picture_lies_is_not() -> None:
    moved = replace(QUERY, image=ImageReference(QUERY.image.sha256, "elsewhere.png"))
    assert request_key(MODEL, detection_request(moved)) == request_key(MODEL, detection_request(QUERY))


@pytest.mark.parametrize("texts", [["Describe the picture."], ["{}", "[]"], ["1", "2"], ["{}", "null"]])
def test_a_request_for_a_model_that_writes_is_refused(texts: list[str]) -> None:
    with pytest.raises(QueryUnusable, match="bind it to the role `detector` alone"):
        query_of(Request(tuple(Message("user", text) for text in texts), Sampling(), seed=1))


@pytest.mark.parametrize("text", ["", "a red ball", "[1]", '[{"x0": 1}]', "{}x"])
def test_a_text_that_is_no_detection_is_an_error(text: str) -> None:
    with pytest.raises(EngineError, match="stored detection"):
        parse_detections(text)
