"""A small release, exported for TRL."""

import shutil
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


# Fewer letters are better: unlike the release's own rewards, it tells apart replies of a few tokens.
REWARDS = """
FORMAT_WEIGHT = 0.25

def answer_reward(completions, **columns):
    assert {len(column) for column in columns.values() if isinstance(column, list)} == {len(completions)}
    return [1 / (1 + sum(map(str.isalpha, _text(one)))) for one in completions]

def format_reward(completions, **_):
    return [float("z" in _text(one)) for one in completions]

def _text(one):
    return one if isinstance(one, str) else one[0]["content"]
"""


@pytest.fixture(scope="session")
def rewarding(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same export with rewards that differ between short replies, so that there is something to learn."""
    folder = tmp_path_factory.mktemp("rewarding") / "hf"
    shutil.copytree(export, folder)
    (folder / "rewards.py").write_text(REWARDS)
    return folder


@pytest.fixture
def python() -> str:
    """The interpreter that runs the tests."""
    return sys.executable
