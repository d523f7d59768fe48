"""Focuses: sizes, regions, no repetition, independence of the order of rows."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.settings import QuestionSettings
from lgt_assets.synthesis.facts import Facts, facts_by_image
from lgt_assets.synthesis.focus import draw_focuses, regions
from lgt_assets_tests.rows import image_row, object_row
from lgt_assets_tests.synthesis.made import pictures

IMAGE = image_row(width=100, height=100)
SIZES = st.lists(st.sampled_from([0, 1, 2, 3, "region"]), min_size=1, max_size=4)


def _facts(*boxes):
    """A picture of 100 x 100 pixels with objects in these boxes."""
    rows = [object_row(IMAGE, n, x0=x0, y0=y0, x1=x1, y1=y1) for n, (x0, y0, x1, y1) in enumerate(boxes)]
    return Facts(IMAGE, tuple(rows))


def test_a_region_holds_the_objects_whose_boxes_lie_in_it():
    facts = _facts((0, 0, 20, 20), (30, 30, 50, 50), (10, 60, 40, 90), (60, 60, 90, 90))
    number = {row["object_id"]: index for index, row in enumerate(facts.objects)}
    found = {focus.part: [number[object_id] for object_id in focus.object_ids] for focus in regions(facts)}
    assert found == {"left half": [0, 1, 2], "upper half": [0, 1], "lower half": [2, 3]}
    assert {focus.kind for focus in regions(facts)} == {"region"}


def test_a_part_with_one_object_or_all_is_no_region():
    assert regions(_facts((0, 0, 10, 10), (80, 80, 90, 90))) == []
    assert regions(_facts((0, 0, 10, 10), (20, 20, 30, 30))) == []
    assert regions(_facts((0, 0, 60, 60), (40, 40, 90, 90), (30, 30, 70, 70))) == []


def test_where_there_is_no_region_the_whole_scene_is_asked_about():
    settings = QuestionSettings(focus_sizes=("region",), per_image=4)
    assert {focus.kind for _, focus in draw_focuses(_facts((0, 0, 10, 10)), settings)} == {"scene"}


def test_kinds_are_named_by_what_is_in_focus():
    facts = _facts(*[(n, n, n + 5, n + 5) for n in range(0, 90, 15)])
    sizes = {1: "one_object", 2: "two_objects", 3: "several_objects", 0: "scene", "region": "region"}
    for size, kind in sizes.items():
        drawn = draw_focuses(facts, QuestionSettings(focus_sizes=(size,)))
        assert {focus.kind for _, focus in drawn} == {kind}


@settings(deadline=None)
@given(SIZES, st.integers(0, 6), st.integers(1, 12))
def test_types_take_turns_and_focuses_fit_their_sizes(sizes, objects, per_image):
    images, boxes = pictures(count=1, objects=objects)
    (facts,) = facts_by_image(images, boxes).values()
    settings = QuestionSettings(per_image=per_image, focus_sizes=tuple(sizes))
    drawn = draw_focuses(facts, settings)
    counts = Counter(question_type for question_type, _ in drawn)
    assert len(drawn) == per_image and max(counts.values()) - min(counts.get(t, 0) for t in settings.types) <= 1
    known = {row["object_id"] for row in facts.objects}
    for _, focus in drawn:
        assert set(focus.object_ids) <= known and len(set(focus.object_ids)) == len(focus.object_ids)
        assert focus.part is not None or len(focus.object_ids) in {min(s, objects) for s in sizes if s != "region"} | {
            0
        }
    (shuffled,) = facts_by_image(images, boxes.reverse()).values()
    assert draw_focuses(shuffled, settings) == drawn
