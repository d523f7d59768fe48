"""COCO as it is published: annotations/instances_*.json and captions_*.json, and a folder of pictures."""

import json
from pathlib import Path

import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources import SourceBox, add_source, read_shard
from lgt_assets_tests.sources.pictures import HEIGHT, WIDTH, plain_picture

INFO = {"description": "COCO 2017 Dataset", "url": "http://cocodataset.org", "version": "1.0", "year": 2017,
        "contributor": "COCO Consortium", "date_created": "2017/09/01"}  # fmt: skip
LICENSES = [{"url": "http://creativecommons.org/licenses/by/2.0/", "id": 4, "name": "Attribution License"}]
CATEGORIES = [
    {"supercategory": "person", "id": 1, "name": "person"},
    {"supercategory": "animal", "id": 17, "name": "cat"},
]
POLYGON = [[1.5, 2.0, 20.0, 2.0, 20.0, 25.5, 1.5, 25.5]]
RUN_LENGTHS = {"counts": [272, 2, 4, 922], "size": [HEIGHT, WIDTH]}


def picture(number: int, **changes: object) -> dict:
    return {
        "license": 4, "file_name": f"{number:012d}.jpg", "coco_url": f"http://images.cocodataset.org/val2017/{number:012d}.jpg",
        "height": HEIGHT, "width": WIDTH, "date_captured": "2013-11-14 17:02:52", "flickr_url": "", "id": number,
    } | changes  # fmt: skip


def instance(id_: int, image: int, bbox: list, category: int = 17, **changes: object) -> dict:
    return {
        "segmentation": POLYGON, "area": 100.0, "iscrowd": 0, "image_id": image, "bbox": bbox, "category_id": category, "id": id_,
    } | changes  # fmt: skip


def write_coco(root: Path, pictures: list[dict], instances: list[dict], captions: list[dict]) -> Path:
    (root / "annotations").mkdir(parents=True)
    shared = {"info": INFO, "licenses": LICENSES, "images": pictures}
    for name, content in (
        ("captions_val2017.json", shared | {"annotations": captions}),
        ("instances_val2017.json", shared | {"annotations": instances, "categories": CATEGORIES}),
    ):
        (root / "annotations" / name).write_text(json.dumps(content))
    for number, entry in enumerate(pictures):
        plain_picture(root / "val2017" / f"{entry['id']:012d}.jpg", number)
    return root


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    captions = [
        {"image_id": 139, "id": 12, "caption": "Second of it."},
        {"image_id": 285, "id": 3, "caption": "A big bear."},
        {"image_id": 139, "id": 5, "caption": "First of it. "},
        {"image_id": 139, "id": 6, "caption": "First of it."},
    ]
    instances = [
        instance(2, 285, [0.0, 1.0, 40.4, 20.0]),  # leaves the picture by rounding
        instance(1, 139, [1.5, 2.0, 18.5, 23.5]),
        instance(900100000139, 139, [0, 0, 40, 30], 1, iscrowd=1, segmentation=RUN_LENGTHS),
        instance(3, 139, [5.0, 5.0, 0.0, 3.0]),
        instance(4, 139, [5.0, 5.0, 3.0, 3.0], 99),
        instance(5, 139, [5.0, 5.0, 3.0], 1, segmentation=RUN_LENGTHS),
        instance(6, 139, [2.0, 3.0, 4.0, 5.0], 1, segmentation=RUN_LENGTHS),
    ]
    pictures = [picture(139), picture(285, license=99), picture(632)]
    return write_coco(tmp_path / "coco", pictures, instances, captions)


def test_captions_boxes_and_licences_find_their_picture(tmp_path: Path, coco: Path) -> None:
    addition = add_source(tmp_path / "state", "coco", "coco", {"path": str(coco)})
    content = read_shard(tmp_path / "state", "coco-00000")
    assert (addition.images_added, addition.problems_added) == (2, 5)
    first, second = (found.record for found in content.pictures)
    assert (first.external_id, first.caption, first.license) == (
        "139",
        "First of it. Second of it.",
        "Attribution License",
    )
    assert first.boxes == (
        SourceBox("cat", "cat", 1.5, 2.0, 20.0, 25.5), SourceBox("person", "person", 2.0, 3.0, 6.0, 8.0),
    )  # fmt: skip
    assert second.boxes == (SourceBox("cat", "cat", 0.0, 1.0, 40.0, 21.0),) and second.license == "unknown"
    assert [(p.row, p.reason) for p in content.problems] == [
        (3, "crowd_box"), (4, "box_without_area"), (5, "unknown_label"), (6, "bad_type"), (3, "missing_field"),
    ]  # fmt: skip
    assert add_source(tmp_path / "state", "coco", "coco", {"path": str(coco)}).new_shards == ()


def test_crowds_may_be_kept_and_the_longest_caption_taken(tmp_path: Path, coco: Path) -> None:
    options = {"path": str(coco), "crowd": "keep", "caption": "longest"}
    add_source(tmp_path / "state", "coco", "coco", options)
    first = read_shard(tmp_path / "state", "coco-00000").pictures[0].record
    assert SourceBox("person", "person", 0.0, 0.0, 40.0, 30.0) in first.boxes
    assert first.caption == "Second of it."


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"file_name": "../../secret.jpg"}, "image", "unsafe_path"),
        ({"file_name": 7}, "file_name", "bad_type"),
        ({"width": "wide"}, "width", "bad_type"),
        ({"height": 0}, "height", "bad_type"),
    ],
)
def test_a_bad_picture_is_one_problem(tmp_path: Path, changes: dict, field: str, reason: str) -> None:
    captions = [{"image_id": number, "id": number, "caption": "A cat."} for number in (1, 2)]
    root = write_coco(tmp_path / "coco", [picture(1) | changes, picture(2)], [], captions)
    addition = add_source(tmp_path / "state", "coco", "coco", {"path": str(root)})
    (problem,) = read_shard(tmp_path / "state", "coco-00000").problems
    assert (addition.images_added, problem.row, problem.field, problem.reason) == (1, 1, field, reason)


def test_captions_alone_are_enough(tmp_path: Path, coco: Path) -> None:
    (coco / "annotations" / "instances_val2017.json").unlink()
    assert add_source(tmp_path / "state", "coco", "coco", {"path": str(coco)}).images_added == 2


def test_files_that_are_torn_or_no_coco_are_errors(tmp_path: Path, coco: Path) -> None:
    def error(**options: str) -> str:
        with pytest.raises(SourceError) as caught:
            add_source(tmp_path / "state", "coco", "coco", {"path": str(coco)} | options)
        return str(caught.value)

    assert "captions_train2017.json; give --option part=" in error(part="train2017")
    captions = coco / "annotations" / "captions_val2017.json"
    captions.write_bytes(captions.read_bytes()[:-30])
    assert "captions_val2017.json is not whole JSON" in error()
    captions.write_text("[]")
    (coco / "annotations" / "instances_val2017.json").unlink()
    assert "lists no images" in error()
