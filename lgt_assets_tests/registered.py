"""A Dagster instance whose own state folder has six tiny pictures, registered as three shards; and rows gone bad."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from lgt_assets.assets.registration import register
from lgt_assets.resources import Tables
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore

SHARDS = ["mine-00000", "mine-00001", "mine-00002"]
SOURCES = "images,grounded_objects"


def write_manifest(folder: Path, pictures: int = 6, caption: str = "A red sheet", *more: str) -> Path:
    """Tiny pictures with a box each; ``more`` lines come last."""
    folder.mkdir()
    lines = []
    for number in range(pictures):
        Image.new("RGB", (40, 30), (40 * number, 10, 10)).save(folder / f"{number}.png")
        row = {"image": f"{number}.png", "caption": f"{caption}, number {number}.", "license": "CC0"}
        lines.append(json.dumps(row | {"boxes": [{"label": "sheet", "box": [0, 0, 40, 30]}]}))
    path = folder / "pictures.jsonl"
    path.write_text("\n".join([*lines, *more]))
    return path


def registered_instance(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance, for a fixture; its state lies below ``folder``."""
    monkeypatch.setenv("LGT_STATE", str(folder / "state"))
    with dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance:
        options = {"path": str(write_manifest(folder / "mine"))}
        register(instance, Tables().store(), "mine", "manifest", options, shard_size=2)
        yield instance


def poison(store: DeltaStore, shard: str) -> None:
    """Bad rows, written to Delta after the shard's check has passed."""
    rows = [row | {"caption": ""} for row in store.read("images", shards=[shard]).to_dicts()]
    store.replace("images", frame("images", rows), shard=shard)
