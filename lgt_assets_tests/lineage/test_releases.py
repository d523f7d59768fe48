"""Which releases hold a row is read from their files, and said where it is not looked up."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.delta_files import TableFolder
from lgt_assets.lineage import releases
from lgt_assets.lineage.dossier import read_dossier
from lgt_assets.lineage.releases import TABLE_BY_PREFIX, releases_with
from lgt_assets.lineage.subject import find
from lgt_assets.release.configs import CONFIGS, RELEASE_TABLES, Draw
from lgt_assets.release.exclusions import SCHEMA
from lgt_assets.release.making import Draft, make_release, release_row
from lgt_assets.schemas import frame
from lgt_assets_tests.made_tables import made_id
from lgt_assets_tests.release.made_card import made_facts

EXAMPLE = made_id("sft_mix")
NOTHING = pl.DataFrame(schema=SCHEMA)


@pytest.fixture
def released(store) -> dict:
    """A release as the asset writes it, of the made tables."""
    root = Path(store.root).parent / "releases"
    draft = Draft({name: store.version(name) for name in RELEASE_TABLES}, store.shards("images"), Draw({}), NOTHING)
    release, written = make_release(root, TableFolder(store.root), draft, lambda *_: made_facts(store))
    row = release_row(release, written, number=1, uri=str(root / release.release_id), code_version="1")
    store.append("release", frame("release", [row]))
    return row


def test_a_row_is_found_in_each_config_that_has_it(folder, released):
    (found,) = read_dossier(find(folder, made_id("expanded_traces"))).releases
    assert found.release_id == released["release_id"] and not found.note
    assert {name: ids for name, ids in found.found.items() if name != "pictures.parquet"} == {
        "sft_stage2/train.parquet": (EXAMPLE,), "sft_stage2_merged/train.parquet": (EXAMPLE,),
    }  # fmt: skip
    assert set(found.found) >= {"pictures.parquet"}


def test_a_row_that_is_in_none_is_found_in_none(folder, released):
    (found,) = releases_with(folder, {"sft_mix": [made_id("sft_mix", 9)]}, "train")
    assert found.found == {} and found.note == ""


def test_a_state_folder_that_was_moved_keeps_its_releases(folder, released, tmp_path):
    moved = tmp_path / "moved"
    shutil.move(Path(folder.root).parent, moved)
    (found,) = releases_with(type(folder)(str(moved / "tables")), {"sft_mix": [EXAMPLE]}, "train")
    assert found.found


def test_what_is_not_looked_up_is_said(folder, released, monkeypatch):
    monkeypatch.setattr(releases, "MOST_ROWS", 1)
    (found,) = releases_with(folder, {"sft_mix": [EXAMPLE]}, "train")
    assert found.found == {} and found.note == "not looked up: its files have 2 rows"
    monkeypatch.undo()
    (Path(released["uri"]) / "sft_stage2/train.parquet").write_bytes(b"broken")
    (found,) = releases_with(folder, {"sft_mix": [EXAMPLE]}, "train")
    assert "sft_stage2/train.parquet not looked up" in found.note and "sft_stage2_merged/train.parquet" in found.found
    shutil.rmtree(released["uri"])
    (found,) = releases_with(folder, {"sft_mix": [EXAMPLE]}, "train")
    assert found.note.startswith("not looked up: its files are no longer at")


def test_every_config_s_table_is_known():
    assert {TABLE_BY_PREFIX[name.split("_")[0]] for name in CONFIGS} == {config.table for config in CONFIGS.values()}
    assert all(TABLE_BY_PREFIX[name.split("_")[0]] == config.table for name, config in CONFIGS.items())
