from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.embedded.scenes import (
    CELL_SIZE,
    CENTERS,
    PICTURE_SIZE,
    RADIUS,
    caption,
    generate_scene,
    position,
    render,
)

SEEDS = st.integers(0, 2**40)


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_scenes_are_unambiguous_and_inside_the_picture(seed: int) -> None:
    objects = generate_scene(seed).objects
    assert 3 <= len(objects) <= 5
    for item in objects:
        x, y = item.center
        radius = RADIUS[item.size]
        assert item.box == (x - radius, y - radius, x + radius, y + radius)
        assert min(item.box) >= 0 and max(item.box) <= PICTURE_SIZE
        same_shape = sum(other.shape == item.shape for other in objects)
        same_color = sum(other.color == item.color for other in objects)
        assert min(same_shape, same_color) == 1
    for axis in (0, 1):
        places = [item.center[axis] for item in objects]
        assert len(set(places)) == len(objects) and set(places) <= set(CENTERS)
    cells = [(item.center[1] // CELL_SIZE, item.center[0] // CELL_SIZE) for item in objects]
    assert cells == sorted(set(cells))


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_boxes_do_not_overlap(seed: int) -> None:
    objects = generate_scene(seed).objects
    for i, first in enumerate(objects):
        for second in objects[:i]:
            apart = [
                first.box[axis] >= second.box[axis + 2] or second.box[axis] >= first.box[axis + 2] for axis in (0, 1)
            ]
            assert any(apart)


def test_a_seed_gives_one_scene_and_one_picture() -> None:
    assert generate_scene(5) == generate_scene(5) != generate_scene(6)
    assert render(generate_scene(5)).tobytes() == render(generate_scene(5)).tobytes()


def test_the_picture_shows_each_object_where_its_box_is() -> None:
    for seed in range(20):
        scene = generate_scene(seed)
        picture = render(scene)
        assert picture.size == (PICTURE_SIZE, PICTURE_SIZE) and picture.mode == "RGB"
        empty = render(type(scene)(scene.seed, ()))
        for item in scene.objects:
            assert picture.getpixel(item.center) != empty.getpixel(item.center)


@given(SEEDS, st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_captions_name_every_object_with_its_place(seed: int, wording: int) -> None:
    scene = generate_scene(seed)
    text = caption(scene, wording)
    assert text == caption(scene, wording)
    for item in scene.objects:
        sentence = next(part for part in text.split(".") if item.phrase in part)
        assert position(item) in sentence.lower()


def test_captions_vary_with_their_seed() -> None:
    assert len({caption(generate_scene(1), wording) for wording in range(20)}) > 15
