"""Lists of servers: what others wrote stays, and nobody reads half of one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lgt_assets.engines.endpoint_settings import EndpointSettings, read_endpoints
from lgt_assets.errors import SettingsError
from lgt_assets.serving.endpoint_lists import delist, enlist, list_path


def test_what_people_added_stays(tmp_path: Path) -> None:
    path = list_path(tmp_path, "vision")
    path.parent.mkdir()
    path.write_text("- {address: 'http://big:8000/v1', weight: 4}\n")
    enlist(path, "http://127.0.0.1:8000/v1")
    enlist(path, "http://127.0.0.1:8000/v1")
    by_hand = EndpointSettings(address="http://big:8000/v1", weight=4)
    assert read_endpoints(path) == (by_hand, EndpointSettings(address="http://127.0.0.1:8000/v1"))
    delist(path, "http://127.0.0.1:8000/v1")
    assert read_endpoints(path) == (by_hand,)


def test_many_at_once_lose_none(tmp_path: Path) -> None:
    path = list_path(tmp_path, "vision")
    addresses = [f"http://127.0.0.1:{8000 + number}/v1" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda address: enlist(path, address), addresses))
    assert sorted(endpoint.address for endpoint in read_endpoints(path)) == addresses


def test_what_is_no_list_is_left_alone(tmp_path: Path) -> None:
    path = list_path(tmp_path, "vision")
    path.parent.mkdir()
    path.write_text("servers: none")
    with pytest.raises(SettingsError, match=str(path)):
        enlist(path, "http://127.0.0.1:8000/v1")
    assert path.read_text() == "servers: none"
    with pytest.raises(SettingsError, match="makes no file name"):
        list_path(tmp_path, "../vision")
