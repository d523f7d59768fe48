"""Shards that machines share: any machine gives the rows that the one where the source was added gives."""

import shutil
from pathlib import Path

import pytest

from lgt_assets.errors import NotFoundError, StorageError
from lgt_assets.object_store import ObjectStore
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.sources import ShardRows, add_source, shard_rows
from lgt_assets.sources.removal import remove_pictures
from lgt_assets.sources.shared_shards import picture_key, share_shard, share_source, shared_shard_rows
from lgt_assets_tests.object_stores import objects_below
from lgt_assets_tests.sources.pictures import flat_manifest, flat_picture

SHARD = "mine-00000"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "this-machine"))


def add(folder: Path, count: int = 5) -> Path:
    manifest = flat_manifest(folder, range(count))
    with manifest.open("a") as file:
        file.write("{\n")
    add_source(folder / "state", "mine", "manifest", {"path": str(manifest)}, shard_size=3)
    return folder / "state"


def without_places(rows: ShardRows) -> list[list[dict]]:
    return [[{k: v for k, v in row.items() if k not in ("uri", "detail", "raw")} for row in part] for part in rows]


def test_a_machine_without_the_source_gives_the_same_rows(tmp_path: Path, bucket_root: str) -> None:
    state, store = add(tmp_path), ObjectStore(bucket_root)
    assert share_source(state, store, "mine") == 2
    shared = objects_below(bucket_root)
    assert len(shared) == 2 + 5
    assert share_source(state, store, "mine") == 0 and objects_below(bucket_root) == shared
    for shard in (SHARD, "mine-00001"):
        here, there = shard_rows(state, shard), shared_shard_rows(tmp_path / "elsewhere", store, shard)
        assert without_places(here) == without_places(there)
        assert shared_shard_rows(state, store, shard) == there
        for image in SCHEMAS["images"].validate(frame("images", there.images)).iter_rows(named=True):
            assert image["uri"] == f"{bucket_root}/{picture_key('mine', image['sha256'])}"
            assert image["uri"].removeprefix(f"{bucket_root}/") in shared
    assert there.rejections and str(tmp_path / "elsewhere") not in str(there.rejections)


def test_a_shard_that_was_never_shared_is_shared_where_it_lies(tmp_path: Path, bucket_root: str) -> None:
    state, store = add(tmp_path), ObjectStore(bucket_root)
    with pytest.raises(NotFoundError, match="add it again with LGT_STORE set"):
        shared_shard_rows(tmp_path / "elsewhere", store, SHARD)
    rows = shared_shard_rows(state, store, SHARD)
    shutil.rmtree(state)
    assert shared_shard_rows(state, store, SHARD) == rows


def test_pictures_that_vanished_or_changed_are_rejected(tmp_path: Path, bucket_root: str) -> None:
    state, store = add(tmp_path), ObjectStore(bucket_root)
    (tmp_path / "1.png").unlink()
    flat_picture(tmp_path / "2.png", 77)
    rows = shared_shard_rows(state, store, SHARD)
    assert [len(rows.images), len(rows.rejections)] == [1, 2]
    assert all(row["reason"] == "missing_file" and bucket_root in row["detail"] for row in rows.rejections)


def test_what_was_taken_down_is_shared_no_more(tmp_path: Path, bucket_root: str) -> None:
    state, store = add(tmp_path), ObjectStore(bucket_root)
    share_source(state, store, "mine")
    gone = shard_rows(state, SHARD).images[1]
    remove_pictures(state, SHARD, [gone["sha256"]])
    share_shard(state, store, SHARD)
    rows = shared_shard_rows(tmp_path / "elsewhere", store, SHARD)
    assert [image["sha256"] for image in rows.images] == [
        image["sha256"] for image in shard_rows(state, SHARD).images if image["sha256"] != gone["sha256"]
    ]
    assert store.read(f"sources/mine/{SHARD}.jsonl").count(b'"type": "removed_image"') == 1


def test_another_source_of_the_same_name_is_refused(tmp_path: Path, bucket_root: str) -> None:
    store = ObjectStore(bucket_root)
    share_source(add(tmp_path / "one"), store, "mine")
    shared = objects_below(bucket_root)
    again = add(tmp_path / "again")
    assert share_source(again, store, "mine") == 0
    manifest = flat_manifest(tmp_path / "other", range(2, 9))
    add_source(tmp_path / "other" / "state", "mine", "manifest", {"path": str(manifest)}, shard_size=3)
    with pytest.raises(StorageError, match=f"shard {SHARD} .*holds other pictures.*another name"):
        share_source(tmp_path / "other" / "state", store, "mine")
    add_source(tmp_path / "cut", "mine", "manifest", {"path": str(tmp_path / "one" / manifest.name)}, shard_size=2)
    with pytest.raises(StorageError, match=f"shard {SHARD} .*shard size"):
        share_source(tmp_path / "cut", store, "mine")
    assert objects_below(bucket_root) == shared


def test_a_picture_that_could_not_be_read_is_put_once_it_can(tmp_path: Path, bucket_root: str) -> None:
    state, store = add(tmp_path), ObjectStore(bucket_root)
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").unlink()
    share_source(state, store, "mine")
    assert len(shared_shard_rows(tmp_path / "elsewhere", store, SHARD).images) == 2
    (tmp_path / "1.png").write_bytes(content)
    assert share_source(state, store, "mine") == 0
    assert len(shared_shard_rows(tmp_path / "elsewhere", store, SHARD).images) == 3


def test_what_was_taken_down_on_one_machine_is_not_put_again_by_another(tmp_path: Path, bucket_root: str) -> None:
    state, store = add(tmp_path), ObjectStore(bucket_root)
    other = shutil.copytree(state, tmp_path / "other")
    gone = shard_rows(state, SHARD).images[1]["sha256"]
    remove_pictures(state, SHARD, [gone])
    share_source(state, store, "mine")
    for machine in (state, other):
        assert share_source(machine, store, "mine") == 0
        assert picture_key("mine", gone) not in objects_below(bucket_root)
