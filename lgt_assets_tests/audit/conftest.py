"""A state with made tables whose picture is a real file."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.rows import SHARD


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeltaStore:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    store = write_made_tables(tmp_path / "state")
    path = tmp_path / "ball.png"
    Image.new("RGB", (100, 80), "red").save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = [row | {"uri": str(path), "sha256": sha256} for row in store.read("images").to_dicts()]
    store.replace("images", frame("images", rows), shard=SHARD)
    return store
