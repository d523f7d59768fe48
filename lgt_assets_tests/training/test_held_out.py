import pytest

from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.sources.scenes import scene_seed
from lgt_assets.training.held_out import IN_DOMAIN, MORE_OBJECTS, OPEN_FORM, SUITES, crowded_scene, questions


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
