"""Fixtures for all trainers. Nothing here imports lgt_assets: it is not installed in the trainers' environments."""

import os
from pathlib import Path

import pytest

EXPORTS = "LGT_TRAINER_EXPORTS"


@pytest.fixture(scope="session")
def exports() -> Path:
    """The folder with one export for each format."""
    if EXPORTS not in os.environ:
        pytest.skip(f"{EXPORTS} names no folder of exports: make test-trainers")
    return Path(os.environ[EXPORTS])


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """A Qwen2.5-VL of 2.6 M parameters with Qwen's chat format."""
    return Path(__file__).parents[2] / "lgt_assets" / "embedded" / "weights"
