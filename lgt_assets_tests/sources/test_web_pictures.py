"""Pictures behind addresses, from a real server: kept byte for byte, limited, and never from where the policy forbids."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from lgt_assets.sources import add_source, read_shard, shard_rows, web_pictures
from lgt_assets.sources.addresses import FetchPolicy
from lgt_assets.sources.records import RowRejected
from lgt_assets.sources.web_pictures import WebPictures
from lgt_assets_tests.sources.pictures import plain_bytes, row, write_lines
from lgt_assets_tests.sources.web_server import PictureServer, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServer]:
    monkeypatch.setattr(web_pictures, "WAITS", (0.0, 0.0))
    with serving() as running:
        yield running


def options_of(server: PictureServer, manifest: Path) -> dict:
    return {
        "path": str(manifest), "hosts": f"localhost:{server.port}, 127.0.0.1:{server.port}", "plain_http": "true",
        "private_networks": "127.0.0.0/8,::1/128", "most_megabytes": "1",
    }  # fmt: skip


def test_pictures_are_fetched_once_and_kept(tmp_path: Path, server: PictureServer) -> None:
    root = f"http://localhost:{server.port}"
    lines = [row(f"{root}/picture/{number}", id=str(number), boxes=[]) for number in range(5)]
    lines += [row(f"{root}/to/?address=/picture/7", boxes=[]), row(f"{root}/busy-once", boxes=[])]
    manifest, state = write_lines(tmp_path / "manifest.jsonl", lines), tmp_path / "state"
    assert add_source(state, "web", "manifest", options_of(server, manifest)).images_added == 7
    pictures = read_shard(state, "web-00000").pictures
    assert [found.record.path.read_bytes() for found in pictures[:5]] == [plain_bytes(n) for n in range(5)]
    assert pictures[0].record.origin == f"{root}/picture/0" and len(shard_rows(state, "web-00000").images) == 7
    asked = dict(server.asked)
    again = add_source(state, "web", "manifest", options_of(server, manifest))
    assert (again.images_known, again.new_shards) == (7, ()) and server.asked == asked  # nothing is asked again


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nowhere", "missing_file"),
        ("/large", "image_too_large"),
        ("/large-and-says-so", "image_too_large"),
        ("/busy", "fetch_failed"),
        ("/around", "unsafe_address"),
        ("/to/?address=http://169.254.169.254/latest/meta-data/", "unsafe_address"),
        ("/to/?address=http://10.0.0.1/picture.png", "unsafe_address"),
        ("/to/?address=file:///etc/passwd", "unsafe_address"),
        ("/to/?address=http://example.org/picture.png", "unsafe_address"),
    ],
)
def test_what_cannot_be_fetched_is_a_bad_row_beside_a_good_one(
    tmp_path: Path, server: PictureServer, path: str, reason: str
) -> None:
    root = f"http://127.0.0.1:{server.port}"
    manifest = write_lines(tmp_path / "manifest.jsonl", [row(root + path), row(f"{root}/picture/1", boxes=[])])
    add_source(tmp_path / "state", "web", "manifest", options_of(server, manifest))
    content = read_shard(tmp_path / "state", "web-00000")
    assert [p.reason for p in content.problems] == [reason] and len(content.pictures) == 1
    if path == "/busy":
        assert server.asked["/busy"] == 3


@pytest.mark.parametrize("changes", [{"hosts": ""}, {"private_networks": ""}, {"plain_http": "false"}])
def test_without_leave_nothing_is_asked(tmp_path: Path, server: PictureServer, changes: dict) -> None:
    manifest = write_lines(tmp_path / "manifest.jsonl", [row(f"http://localhost:{server.port}/picture/1")])
    add_source(tmp_path / "state", "web", "manifest", options_of(server, manifest) | changes)
    assert [p.reason for p in read_shard(tmp_path / "state", "web-00000").problems] == ["unsafe_address"]
    assert not server.asked


def test_a_name_that_resolves_to_this_machine_is_refused(server: PictureServer) -> None:
    pictures = WebPictures(FetchPolicy(("http",), (f"localhost:{server.port}",)))
    with pytest.raises(RowRejected, match="not a public address"):
        pictures.fetch(f"http://localhost:{server.port}/picture/1")
    pictures.close()
    assert not server.asked


def test_where_nobody_listens_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_pictures, "WAITS", (0.0,))
    with serving() as stopped:
        port = stopped.port
    pictures = WebPictures(FetchPolicy(("http",), (f"127.0.0.1:{port}",), (ip_network("127.0.0.0/8"),)))
    with pytest.raises(RowRejected) as caught:
        pictures.fetch(f"http://127.0.0.1:{port}/picture/1")
    pictures.close()
    assert caught.value.reason == "fetch_failed"
