"""Rows of several configs and splits, mixed in each of several buckets, keep their own pictures, however these are read."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.delta_files import TableFolder
from lgt_assets.identity import image_id, row_id
from lgt_assets.release import delivered_pictures, hash_order, row_files
from lgt_assets.release.configs import Draw
from lgt_assets.release.formats.hf import HF
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.pinned_rows import PinnedRows
from lgt_assets.release.writing import Wanted, write_rows
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import made_rows
from lgt_assets_tests.rows import image_row

SHARD, ROWS = "made-00000", 150
TABLES = ("seed_questions", "composed_questions", "preference_pairs", "rl_prompts")


def write_tables(store: DeltaStore, folder: Path) -> None:
    """Rows of two stages and two splits, of none to two pictures."""
    images = []
    for number in range(ROWS):
        path = folder / f"{number}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]) * (number + 1))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        split = "train" if number % 4 else "validation"
        named = {"sha256": sha256, "image_id": image_id(SHARD, sha256), "uri": str(path), "split": split}
        images.append(image_row(number, shard=SHARD, **named) | {"ordinal": number})
    ids = [image["image_id"] for image in images]
    rows = [
        made_rows()["sft_mix"][0]
        | {"shard": SHARD, "ordinal": number, "example_id": row_id("sft_mix", SHARD, number), "image_id": ids[number]}
        | {"stage": 1 + number % 3 % 2, "images": ids[number : number + number % 5 % 3]}
        for number in range(ROWS)
    ]
    for table, own in (("images", images), ("sft_mix", rows)):
        store.replace(table, frame(table, own), shard=SHARD)
    for table in TABLES:
        store.create(table)


@pytest.mark.parametrize("few", [0, 1 << 20], ids=["by processes", "by threads"])
@pytest.mark.parametrize("few_bytes", [0, 1 << 20], ids=["in parts", "together"])
def test_every_row_has_its_own_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_bytes: int, few: int):
    monkeypatch.setattr(hash_order, "ROWS_PER_BUCKET", 20)
    monkeypatch.setattr(delivered_pictures, "FEW_BYTES", few_bytes)
    monkeypatch.setattr(row_files, "GROUP_BYTES", 2000)
    store = DeltaStore(str(tmp_path / "tables"))
    write_tables(store, tmp_path)
    versions = {table: store.version(table) for table in ("images", "sft_mix", *TABLES)}
    pinned = PinnedRows(TableFolder(store.root), versions, [SHARD], pl.DataFrame(schema={"row_id": pl.String}))
    with PictureBytes(few=few) as pictures:
        written = write_rows(
            tmp_path,
            tmp_path / "scratch",
            pinned,
            Wanted(HF, HF.pictures, Draw({})),
            pictures,
            progress=lambda *_: None,
        )
    stages = {"sft_stage1": {1}, "sft_stage2": {2}, "sft_stage2_merged": {1, 2}}
    seen = {name: 0 for name in stages}
    for one in written:
        rows = pl.concat([pl.read_parquet(tmp_path / name) for name in one.files]).to_dicts() if one.files else []
        assert len(rows) == one.rows
        assert [row["row_id"][-16:] for row in rows] == sorted(row["row_id"][-16:] for row in rows)
        for row in rows:
            found = [image_id(SHARD, hashlib.sha256(image["bytes"]).hexdigest()) for image in row["images"]]
            assert found == row["image_ids"] and row["stage"] in stages[one.config]
            seen[one.config] += 1
    assert seen["sft_stage1"] + seen["sft_stage2"] == seen["sft_stage2_merged"] == ROWS and min(seen.values()) > 20
