"""The made tables with a picture that is a real file."""

import pytest

from lgt_assets.delta_files import TableFolder
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.audit.conftest import store

__all__ = ["folder", "store"]


@pytest.fixture
def folder(store: DeltaStore) -> TableFolder:
    return TableFolder(store.root)
