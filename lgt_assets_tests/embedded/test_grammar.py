import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.embedded.examples import draw_ask
from lgt_assets.embedded.grammar import (
    COMPOSITION_KINDS,
    MULTI_HOP,
    bridge,
    bridge_two_ends,
    composition_kinds,
    question_type,
    resolve,
    true_answer,
    true_key,
)
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.sampling import FOCUS_SIZES, composed_ask, draw_focus, focused_ask
from lgt_assets.embedded.scenes import Scene, SceneObject, generate_scene
from lgt_assets.embedded.wordings import Ask, parse, phrase

SEEDS = st.integers(0, 2**40)
SCENE = Scene(
    0,
    (
        SceneObject("red", "circle", "small", (10, 10, 50, 50)),
        SceneObject("red", "star", "large", (100, 40, 160, 100)),
        SceneObject("blue", "cross", "small", (190, 150, 230, 190)),
    ),
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What color is the cross?", "blue"),
        ("What shape is the blue object?", "cross"),
        ("How many red objects are there?", "2"),
        ("How many crosses can you see?", "1"),
        ("How many objects with the color of the star are there?", "2"),
        ("What is the number of objects with the shape of the rightmost object?", "1"),
        ("Where is the red star?", "top-center"),
        ("Where is the lowest object?", "bottom-right"),
        ("Where is the red circle relative to the red star?", "upper-left"),
        ("In which direction is the blue cross from the red star?", "lower-right"),
        ("Which object is topmost?", "red circle"),
        ("Which is larger, the red circle or the red star?", "red star"),
        ("Which object is bigger, the leftmost object or the blue cross?", "neither"),
        ("Which is further right, the red circle or the red star?", "red star"),
        ("Which object is lower, the red circle or the blue cross?", "blue cross"),
        ("Are there more red objects or more crosses?", "red objects"),
        ("What are there more of, stars or crosses?", "neither"),
        ("What is the number of red objects plus the number of crosses?", "3"),
        ("What color is the cross, and how many red objects are there?", "blue and 2"),
        ("What is the number of stars plus the number of crosses plus the number of red objects?", "4"),
        ("What do you get if you add the number of stars, the number of crosses and the number of red objects?", "4"),
        (
            "What is the number of stars plus the number of crosses plus the number of objects plus the number of "
            "small objects?",
            "7",
        ),
        ("If the cross is blue, how many red objects are there, and if not, how many stars are there?", "2"),
        ("If the cross is red, how many red objects are there, and if not, how many stars are there?", "1"),
        ("If the blue object is a star, how many objects are there, and if not, how many stars can you see?", "1"),
        (
            "If the red star is at the top-center, how many objects are there, and if not, how many stars are there?",
            "3",
        ),
        (
            "If the lowest object is the blue cross, what is the number of circles, and if not, what is the number of "
            "triangles?",
            "1",
        ),
        ("Where is the leftmost object relative to the lowest object?", "upper-left"),
    ],
)
def test_true_answers(question: str, answer: str) -> None:
    assert true_answer(question, SCENE) == answer


@pytest.mark.parametrize(
    "question",
    [
        "What color is the red object?",
        "What shape is the red object?",
        "What color is the triangle?",
        "Where is the green star?",
        "Which is larger, the red star or the red star?",
        "Which is larger, the lowest object or the blue cross?",
        "Who are you?",
        "",
        "What color is the cross, and why?",
        "What color is the cross? Where is the red star?",
        "If the star is red, how many circles are there?",
        "If the star is red, how many circles are there, and if not, where is the red star?",
        "If the star is happy, how many circles are there, and if not, how many stars are there?",
        "If the triangle is red, how many circles are there, and if not, how many stars are there?",
        "If the red object is a star, how many circles are there, and if not, how many stars are there?",
    ],
)
def test_what_has_no_single_answer_is_not_askable(question: str) -> None:
    with pytest.raises(NotAskable):
        true_answer(question, SCENE)


@given(SEEDS)
@settings(max_examples=300, deadline=None)
def test_every_wording_is_read_back(seed: int) -> None:
    generator = random.Random(seed)
    scene = generate_scene(seed)
    ask = draw_ask(scene, generator)
    for _ in range(3):
        question = phrase(ask, generator)
        assert parse(question) == ask
        assert true_answer(question, scene) == resolve(ask, scene)


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_questions_of_any_type_about_any_focus_have_an_answer(seed: int) -> None:
    generator = random.Random(seed)
    scene = generate_scene(seed)
    for name in FOCUS_SIZES:
        ask = focused_ask(name, draw_focus(name, scene, generator), scene, generator)
        assert question_type(ask) == name
        assert resolve(ask, scene)


def test_a_focus_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(NotAskable):
        focused_ask("Recognition", SCENE.objects[:2], SCENE, random.Random(0))


@given(SEEDS, st.sampled_from(COMPOSITION_KINDS))
@settings(max_examples=200, deadline=None)
def test_composed_questions_are_of_a_kind_their_parents_allow(seed: int, kind: str) -> None:
    generator = random.Random(seed)
    scene = generate_scene(seed)
    parents, composed = composed_ask(kind, scene, generator)
    told = [(phrase(parent, generator), resolve(parent, scene)) for parent in parents]
    assert kind in composition_kinds(told)
    assert resolve(composed, scene)
    assert question_type(composed) == (MULTI_HOP if kind != "compare" else "Comparison")


def test_kinds_of_what_cannot_be_composed() -> None:
    color, count = ("What color is the cross?", "blue"), ("How many blue objects are there?", "1")
    assert composition_kinds([color, count]) == ["bridge", "intersect", "conditional"]
    assert composition_kinds([count, color]) == ["bridge", "intersect", "conditional"]
    assert composition_kinds([count, ("How many stars can you see?", "1")]) == ["aggregate", "compare", "intersect"]
    assert composition_kinds([count, count]) == []
    assert composition_kinds([color]) == []
    assert composition_kinds([color, ("What is the person doing?", "running")]) == []
    assert (
        composition_kinds([("Which object is leftmost?", "red circle"), ("Which object is lowest?", "blue cross")])
        == []
    )


def test_kinds_of_more_than_two_parents() -> None:
    counts = [
        (f"How many {what} are there?", "1") for what in ("stars", "crosses", "red objects", "objects", "circles")
    ]
    ends = [("Which object is leftmost?", "red circle"), ("Which object is lowest?", "blue cross")]
    between = ("In which direction is the red circle from the blue cross?", "upper-left")
    assert composition_kinds(counts[:3]) == composition_kinds(counts[:4]) == ["aggregate"]
    assert composition_kinds(counts) == []
    assert composition_kinds([counts[0], counts[1], counts[0]]) == []
    assert composition_kinds([ends[0], between, ends[1]]) == ["bridge"]
    assert composition_kinds([*ends, counts[0]]) == []
    assert composition_kinds([*ends, between, counts[0]]) == []
    assert composition_kinds([*ends, ("Which is larger, the red star or the blue cross?", "red star")]) == []


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_conditional_questions_are_answered_by_their_counting_parent(seed: int) -> None:
    generator = random.Random(seed)
    scene = generate_scene(seed)
    parents, composed = composed_ask("conditional", scene, generator)
    counted = next(parent for parent in parents if parent.kind == "count")
    condition = next(parent for parent in parents if parent != counted)
    assert condition == composed.parts[0] and resolve(composed, scene) == resolve(counted, scene)
    holds = resolve(condition, scene) == composed.slots[0]
    assert composed.parts[1 if holds else 2] == counted != composed.parts[2 if holds else 1]


def test_conditions_hold_sometimes() -> None:
    drawn = [(generate_scene(i), random.Random(i)) for i in range(200)]
    asks = [(composed_ask("conditional", scene, generator)[1], scene) for scene, generator in drawn]
    held = sum(resolve(ask.parts[0], scene) == ask.slots[0] for ask, scene in asks)
    assert 40 < held < 100


def test_keys_that_are_true_wrong_or_beyond_reading() -> None:
    question, choices = "How many red objects are there?", ["1", "2", "3", "4"]
    assert true_key(question, choices, 1, SCENE)
    assert not true_key(question, choices, 0, SCENE)
    with pytest.raises(NotAskable):
        true_key("How many ghosts are there?", choices, 0, SCENE)


def test_two_ends_replace_both_objects() -> None:
    ends = [("Which object is lowest?", "blue cross"), ("Which object is leftmost?", "red circle")]
    between = ("Which is further left, the red circle or the blue cross?", "red circle")
    assert bridge_two_ends([*ends, between]) == Ask("further", ("further left", "leftmost object", "lowest object"))
    assert bridge_two_ends([*ends, ("Where is the red circle?", "top-left")]) is None


def test_bridges_replace_what_the_first_question_leads_to() -> None:
    leftmost = ("Which object is leftmost?", "red circle")
    assert bridge(leftmost, ("Where is the red circle?", "top-left")) == Ask("where", ("leftmost object",))
    assert bridge(leftmost, ("How many circles are there?", "1")) == Ask(
        "count", ("objects with the shape of the leftmost object",)
    )
    assert bridge(leftmost, ("Where is the red star?", "top-center")) is None
