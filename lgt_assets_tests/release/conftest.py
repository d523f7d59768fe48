"""What tests of facts and cards share: the made dataset with its records, and what is known of it."""

import pytest

from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_card import made_facts, write_tables


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DeltaStore:
    """Tables of the made dataset; for reading."""
    folder = tmp_path_factory.mktemp("made")
    made = DeltaStore(str(folder / "tables"))
    write_tables(made, folder / "pictures")
    return made


@pytest.fixture(scope="module")
def facts(store: DeltaStore) -> dict:
    """What a release of them remembers."""
    return made_facts(store)
