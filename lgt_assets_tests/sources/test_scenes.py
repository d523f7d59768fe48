"""Rendered scenes: reproducible, extendable, apart from what the embedded model was trained on."""

from pathlib import Path

from PIL import Image

from lgt_assets.sources import add_source, read_shard, shard_rows
from lgt_assets.sources.scenes import scene_seed


def test_the_same_seed_gives_the_same_pictures_in_another_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        add_source(tmp_path / name, "scenes", "scenes", {"count": 4, "seed": 3})
    one, two = (read_shard(tmp_path / name, "scenes-00000").pictures for name in ("one", "two"))
    assert [picture.sha256 for picture in one] == [picture.sha256 for picture in two]
    assert len({picture.sha256 for picture in one}) == 4
    rows = [shard_rows(tmp_path / name, "scenes-00000") for name in ("one", "two")]
    assert rows[0].grounded_objects == rows[1].grounded_objects and rows[0].grounded_objects
    assert not rows[0].rejections


def test_another_seed_gives_other_pictures_and_a_larger_count_more(tmp_path: Path) -> None:
    add_source(tmp_path, "scenes", "scenes", {"count": 3})
    more = add_source(tmp_path, "scenes", "scenes", {"count": "5"})
    assert (more.new_shards, more.images_added, more.images_known) == (("scenes-00001",), 2, 3)
    other = add_source(tmp_path, "scenes", "scenes", {"count": 3, "seed": 1})
    assert (other.images_added, other.images_known, other.problems_added) == (3, 0, 0)


def test_boxes_and_caption_speak_of_the_same_objects(tmp_path: Path) -> None:
    add_source(tmp_path, "scenes", "scenes", {"count": 3})
    for picture in read_shard(tmp_path, "scenes-00000").pictures:
        record = picture.record
        assert record.path.parent == tmp_path / "images" / "scenes" and record.license == "Apache-2.0"
        assert record.caption_source == record.box_source == "rendered"
        with Image.open(record.path) as image:
            assert image.size == (picture.width, picture.height)
        for box in record.boxes:
            size, color, shape = box.phrase.split()
            assert box.label == shape and box.phrase in record.caption


def test_no_scene_of_a_source_is_a_training_scene() -> None:
    # Training draws its scenes from 2**32 on (lgt_assets.embedded.batches.FIRST_TRAINING_SCENE).
    assert all(0 <= scene_seed(seed, index) < 2**32 for seed in range(5) for index in range(50))
