"""Gates of a source's shard: each warns where it surely should, and says what to do."""

from pathlib import Path

import polars as pl
import pytest

from lgt_assets.errors import SourceError
from lgt_assets.quality import source_gates
from lgt_assets.quality.findings import Finding, Slice
from lgt_assets.schemas import frame
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.rows import SHARD, image_row, object_row

PROFILE = load_profile("embedded")
COUNT = 60
LONG = "A red ball lies on the wet grass near a wooden bench, and behind it there is a low wall in the evening light."
GERMAN = (
    "Ein roter Ball liegt auf dem Gras, und eine alte Bank steht mit einem Hund neben der Mauer, die nicht hoch ist."
)


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return DeltaStore(str(tmp_path / "tables"))


def images(store: DeltaStore, changes: list[dict]) -> Slice:
    rows = [image_row(number, **({"caption": LONG} | change)) for number, change in enumerate(changes)]
    store.replace("images", frame("images", rows), shard=SHARD)
    return Slice(store, "images", SHARD, PROFILE)


def measured(store: DeltaStore, measure, bad: dict, count: int) -> Finding:
    return measure(images(store, [bad if number < count else {} for number in range(COUNT)]))


@pytest.mark.parametrize(
    ("measure", "bad", "few", "many"),
    [
        (source_gates.caption_length, {"caption": "A red ball."}, 10, 30),
        (source_gates.caption_language, {"caption": GERMAN}, 1, 6),
        (source_gates.caption_language, {"caption": "草地上有一个红色的球。" + LONG}, 1, 6),
        (source_gates.licence_present, {"license": "Unknown "}, 0, 1),
    ],
)
def test_a_gate_warns_from_its_share_on(store: DeltaStore, measure, bad: dict, few: int, many: int) -> None:
    passed, failed = measured(store, measure, bad, few), measured(store, measure, bad, many)
    assert passed.passed and passed.numbers["counted"] == few
    assert not failed.passed and failed.numbers["counted"] == many and failed.numbers["rate"] == round(many / COUNT, 4)
    assert f"{many} of {COUNT}" in failed.said and ": " in failed.said


def test_a_small_shard_is_not_judged(store: DeltaStore) -> None:
    found = source_gates.licence_present(images(store, [{"license": "unknown"}] * 5))
    assert found.passed and "too few pictures" in found.said


def test_any_language_may_be_wanted(store: DeltaStore) -> None:
    checks = PROFILE.checks.model_copy(update={"caption_language": "any"})
    rows = images(store, [{"caption": GERMAN}] * COUNT)
    profile = PROFILE.model_copy(update={"checks": checks})
    assert source_gates.caption_language(Slice(store, "images", SHARD, profile)).passed
    assert not source_gates.caption_language(rows).passed


@pytest.mark.parametrize(("without", "passed"), [(20, True), (50, False)])
def test_pictures_without_boxes_are_counted_and_the_covered_share_is_said(
    store: DeltaStore, without: int, passed: bool
) -> None:
    rows = images(store, [{}] * COUNT)
    boxed = store.read("images").to_dicts()[without:]
    objects = [object_row(image, n, x0=0.0, y0=0.0, x1=50.0, y1=40.0) for n, image in enumerate(boxed)]
    objects += [
        object_row(boxed[0], COUNT + n, x0=0.0, y0=0.0, x1=100.0, y1=80.0) for n in range(3)
    ]  # covers it, thrice
    store.replace("grounded_objects", frame("grounded_objects", objects), shard=SHARD)
    found = source_gates.box_coverage(Slice(store, "grounded_objects", SHARD, rows.profile))
    assert found.passed is passed and found.numbers["counted"] == without
    covered = (0.25 * (COUNT - without - 1) + 1.0) / COUNT
    assert found.numbers["share of a picture in boxes"] == pytest.approx(covered)


def test_pictures_that_look_alike_are_counted(store: DeltaStore) -> None:
    rows = images(store, [{}] * COUNT)
    ids = store.read("images")["image_id"].to_list()

    def hashes(copies: int) -> pl.DataFrame:
        phashes = [f"{(0x9E3779B97F4A7C15 * (n + 1)) % 2**64:016x}" for n in range(COUNT - copies)]
        return pl.DataFrame({"image_id": ids, "phash": phashes + [phashes[0]] * copies})

    found = source_gates.picture_duplicates(lambda _rows: hashes(8))(rows)
    assert not found.passed and found.numbers["counted"] == 8 and f"such as {ids[52]} and {ids[0]}" in found.said
    assert source_gates.picture_duplicates(lambda _rows: hashes(0))(rows).passed


def test_a_picture_that_cannot_be_read_is_said(store: DeltaStore) -> None:
    def hashes(_rows: Slice) -> pl.DataFrame:
        raise SourceError("picture i.1: it is gone")

    found = source_gates.picture_duplicates(hashes)(images(store, [{}]))
    assert not found.passed and "it is gone" in found.said
