from collections import Counter

import pytest

from lgt_assets.embedded.scenes import RADIUS, Scene, generate_scene
from lgt_assets.errors import SettingsError
from lgt_assets.sources.scenes import scene_seed
from lgt_assets.training.held_out import (
    CROSSED_PAIRS,
    IN_DOMAIN,
    MORE_OBJECTS,
    OPEN_FORM,
    OTHER_RADIUS,
    OTHER_SIZES,
    SUITES,
    crossed_scene,
    crowded_scene,
    questions,
)


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_is_the_same_again_and_a_longer_one_begins_with_it(suite: str) -> None:
    short, longer = questions(suite, 5), questions(suite, 10)
    assert [one.example.user for one in short] == [one.example.user for one in longer[:5]]


def test_scenes_of_more_objects_hold_six_apart_from_one_another() -> None:
    for number in range(20):
        scene = crowded_scene(number, 6)
        assert len({item.name for item in scene.objects}) == 6
    assert all(len(one.example.scene.objects) == 6 for one in questions(MORE_OBJECTS, 10))


def test_open_questions_offer_no_choices_and_held_out_ones_four() -> None:
    assert {one.example.choices for one in questions(OPEN_FORM, 10)} == {None}
    assert {len(one.example.choices) for one in questions(IN_DOMAIN, 10)} == {4}


def test_no_scene_is_one_that_the_demo_makes_data_of() -> None:
    made = {generate_scene(scene_seed(0, number)).objects for number in range(500)}
    for suite in SUITES:
        assert not made & {one.example.scene.objects for one in questions(suite, 100)}


def test_crossed_scenes_hold_two_colours_and_two_forms_in_all_pairs_as_training_scenes_never_do() -> None:
    def crossed(scene: Scene) -> bool:
        names = {(item.color, item.shape) for item in scene.objects}
        return any({(a, y), (b, x)} <= names for (a, x) in names for (b, y) in names if a != b and x != y)

    assert all(crossed(one.example.scene) for one in questions(CROSSED_PAIRS, 20))
    assert not any(crossed(generate_scene(number)) for number in range(500))
    assert crossed_scene(3) == crossed_scene(3)


def test_other_sizes_are_drawn_and_stay_inside_the_picture() -> None:
    radii = {item.radius for one in questions(OTHER_SIZES, 20) for item in one.example.scene.objects}
    assert radii == set(OTHER_RADIUS.values()) and not radii & set(RADIUS.values())
    for one in questions(OTHER_SIZES, 20):
        assert all(0 <= edge <= 240 for item in one.example.scene.objects for edge in item.box)


@pytest.mark.parametrize("suite", [IN_DOMAIN, OPEN_FORM])
def test_known_prompts_are_passed_over_and_others_come_instead(suite: str) -> None:
    asked = questions(suite, 20)
    known = {asked[0].example.user, asked[7].example.user}
    clean = questions(suite, 20, known=known)
    assert len(clean) == 20 and not known & {one.example.user for one in clean}
    if suite == IN_DOMAIN:
        assert set(Counter(one.kind for one in clean).values()) == {4}


def test_too_few_questions_are_refused() -> None:
    class Everything:
        def __contains__(self, _: object) -> bool:
            return True

    with pytest.raises(SettingsError, match="open_form: only 0 of 3"):
        questions(OPEN_FORM, 3, known=Everything())
