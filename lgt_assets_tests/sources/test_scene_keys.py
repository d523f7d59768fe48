"""The truth about written questions, from the scene's seed."""

import pytest

from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.schemas import frame
from lgt_assets.sources.scene_keys import scene_judge
from lgt_assets.sources.scenes import scene_seed
from lgt_assets_tests.rows import image_row, question_row

SCENE = image_row(0, external_id="3-000007", caption_source="rendered")
PHOTO = image_row(1, external_id="3-000007", caption_source="human")
JUDGE = scene_judge(frame("images", [SCENE, PHOTO]))
COUNT = len(generate_scene(scene_seed(3, 7)).objects)


def _asked(image, question="How many objects are there?"):
    return question_row(image, [], question=question, choices=[str(COUNT), str(COUNT + 1)])


@pytest.mark.parametrize("answer_index", [0, 1])
def test_a_key_is_true_or_not(answer_index):
    assert JUDGE(_asked(SCENE) | {"answer_index": answer_index}) is (answer_index == 0)


def test_nothing_is_said_of_photographs_unknown_pictures_and_unreadable_questions():
    assert JUDGE(_asked(PHOTO)) is None
    assert JUDGE(_asked(image_row(2))) is None
    assert JUDGE(_asked(SCENE, "Why is the sky blue?")) is None
