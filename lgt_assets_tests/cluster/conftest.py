"""One deployment for all tests of the cluster; it takes a minute to start."""

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lgt_assets_tests.cluster.postgres import binaries


def _missing() -> str:
    """Why these tests cannot run here; "" if they can."""
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("dagster_ray") is None:
        return "ray and dagster-ray are not installed: make test-cluster"
    return "" if binaries() else "no Postgres server on this machine (Debian: apt-get install postgresql)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all of them where a part is missing."""
    why = _missing()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            if why:
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Short: the paths of sockets below it may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="lgt-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
