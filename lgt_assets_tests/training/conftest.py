"""A small release, exported for TRL."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an export in the format hf; the tests are skipped where the extra `train` is not installed."""
    pytest.importorskip("trl")
    from lgt_assets_tests.trainers.exports import write_exports

    folder = tmp_path_factory.mktemp("exports")
    write_exports(folder)
    return folder / "hf"


@pytest.fixture
def python() -> str:
    """The interpreter that runs the tests."""
    return sys.executable
