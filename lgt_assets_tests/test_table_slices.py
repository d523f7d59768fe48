"""Slices are read by their files' names: the same rows as a query of the whole table gives."""

from pathlib import Path

import polars as pl
import pytest

from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import SettingsError, StorageError
from lgt_assets.schemas import frame
from lgt_assets.state import tables_folder
from lgt_assets.storage import DeltaStore
from lgt_assets.table_slices import FEW, require_slice, scan_slices, slice_paths
from lgt_assets_tests.rows import image_row
from lgt_assets_tests.test_storage import rejections

SHARDS = [f"a-{number:05d}" for number in range(FEW + 2)]


def images(shard: str, count: int) -> pl.DataFrame:
    return frame("images", [image_row(n, shard=shard, caption=f"{shard} {n}") for n in range(count)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DeltaStore:
    """Shards of one to several rows, one of which was written twice."""
    store = DeltaStore(str(tmp_path_factory.mktemp("tables")))
    store.replace("images", images(SHARDS[0], 9), shard=SHARDS[0])
    for number, shard in enumerate(SHARDS):
        store.replace("images", images(shard, number % 4 + 1), shard=shard)
    return store


@pytest.mark.parametrize(
    "shards", [[], [SHARDS[3]], [SHARDS[5], SHARDS[0], SHARDS[5]], ["z-00000"], [SHARDS[1], "z-00000"], SHARDS[:FEW], SHARDS]
)  # fmt: skip
def test_rows_are_those_that_a_query_of_the_table_gives(store: DeltaStore, shards: list[str]) -> None:
    whole = pl.scan_delta(store.uri("images")).filter(pl.col("shard").is_in(shards)).sort("shard", "ordinal").collect()
    read = store.read("images", shards=shards)
    assert read.equals(whole.select(read.columns)) and read.schema == frame("images", []).schema


def test_only_the_slice_s_files_are_named_and_opened(store: DeltaStore) -> None:
    delta = store.open("images")
    paths = slice_paths(delta, {"shard": SHARDS[0]})
    assert len(paths) == 1 and paths[0].startswith(f"shard={SHARDS[0]}/")
    there = {str(path.relative_to(store.uri("images"))) for path in Path(store.uri("images")).rglob("*.parquet")}
    assert paths[0] in there and len([path for path in there if path.startswith(f"shard={SHARDS[0]}/")]) == 2
    assert slice_paths(delta, {"shard": "z-00000"}) == []


def test_slices_of_two_columns(tmp_path: Path) -> None:
    store = DeltaStore(str(tmp_path))
    for asset, count in (("images", 3), ("seed_questions", 2)):
        for shard in SHARDS[:2]:
            store.replace("rejections", rejections(shard, asset, count), shard=shard, asset=asset)
    delta = store.open("rejections")
    one = scan_slices(delta, "rejections", [{"shard": SHARDS[0], "asset": "images"}]).collect()
    assert one.equals(rejections(SHARDS[0], "images", 3).select(one.columns))
    both = scan_slices(delta, "rejections", [{"shard": SHARDS[1]}]).collect()
    assert sorted(both["asset"]) == ["images"] * 3 + ["seed_questions"] * 2
    assert set(both["shard"]) == {SHARDS[1]}


@pytest.mark.parametrize("name", ["with space", "grünes Feld", "a#b", "a+b & c"])
def test_slices_are_found_in_folders_that_deltalake_writes_otherwise_though_settings_refuse_them(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives ``%20`` for a space, which no file is named by; polars still fails there where a whole table is scanned."""
    store = DeltaStore(str(tmp_path / name))
    rows = images(SHARDS[0], 3)
    version = store.replace("images", rows, shard=SHARDS[0])
    assert store.replace("images", rows, shard=SHARDS[0]) == version
    assert store.read("images", shards=[SHARDS[0]]).equals(rows)
    files = TableFolder(store.root).open("images")
    assert files.scan(files.slices).select(rows.columns).collect().equals(rows)
    with pytest.raises(FileNotFoundError):  # once this is read, settings need not refuse such folders
        store.read("images")
    monkeypatch.setenv("LGT_TABLES", store.root)
    with pytest.raises(SettingsError, match="cannot be read back"):
        tables_folder()


def test_rows_of_another_slice_or_schema_are_named() -> None:
    rows = images(SHARDS[0], 2)
    require_slice("images", rows, {"shard": SHARDS[0]})
    require_slice("images", rows.clear(), {"shard": "z-00000"})
    with pytest.raises(StorageError, match="table images: rows of .*a-00000.* in the slice shard='z-00000'"):
        require_slice("images", rows, {"shard": "z-00000"})
    with pytest.raises(StorageError, match=r"columns \['width'\] differ"):
        require_slice("images", rows.with_columns(width=pl.lit(1.5)), {"shard": SHARDS[0]})
