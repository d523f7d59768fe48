"""The whole graph with everything that machines share on an S3 server; and a second machine, which begins with an empty folder.

Real assets on one small shard, in a real Dagster instance for each machine, against a server that answers by rule.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.crash import write_profile
from lgt_assets import resources, runs
from lgt_assets.assets.registration import register
from lgt_assets.cli import main
from lgt_assets.errors import SettingsError
from lgt_assets.instance import open_instance
from lgt_assets.object_store import ObjectStore
from lgt_assets.resources import Tables
from lgt_assets.schemas import SCHEMAS
from lgt_assets.storage import DeltaStore, canonical_rows
from lgt_assets_tests.object_stores import ACCESS_KEY, BUCKET, SECRET_KEY, environment

ASSETS = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts", "release",
)  # fmt: skip
ROOT = f"s3://{BUCKET}/whole-graph"


@dataclass
class Machines:
    """A folder for each machine, and the log of the model's server."""

    folder: Path
    log: Path

    def enter(self, patch: pytest.MonkeyPatch, name: str, endpoint: str, tables: str = "tables") -> None:
        """Be one of them from here on."""
        patch.setenv("LGT_STATE", str(self.folder / name))
        patch.setenv("LGT_STORE", ROOT)
        patch.setenv("LGT_TABLES", f"{ROOT}/{tables}")
        patch.setenv("LGT_PROFILE", str(self.folder / "rule.yaml"))
        patch.delenv("DAGSTER_HOME", raising=False)
        for key, value in environment(endpoint).items():
            patch.setenv(key, value)
        resources._profile.cache_clear()

    def asked(self) -> int:
        """Requests that reached the model's server."""
        return len(self.log.read_text().split())


def add_scenes() -> None:
    with open_instance() as instance:
        register(instance, Tables().store(), "scenes", "scenes", {"count": 3, "seed": 0}, shard_size=3)


def run_all() -> None:
    with open_instance() as instance:
        assert runs.run(instance).failures == []


def lgt(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


def export(out: Path) -> dict[str, bytes]:
    lgt("export", "--format", "hf", "--out", str(out))
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def tables(name: str) -> dict[str, str]:
    store = DeltaStore(f"{ROOT}/{name}")
    return {table: canonical_rows(store.read(table)) for table in ASSETS[:-1]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, seaweedfs_server: str) -> Iterator[Machines]:
    """Everything made on the first machine."""
    folder = tmp_path_factory.mktemp("machines")
    machines = Machines(folder, folder / "requests.log")
    command = [
        sys.executable,
        "-m",
        "benchmarks.crash_parts.answering_server",
        "--delay",
        "0",
        "--log",
        str(machines.log),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    try:
        assert server.stdout is not None
        write_profile(folder / "rule.yaml", json.loads(server.stdout.readline())["port"])
        with pytest.MonkeyPatch.context() as patch:
            machines.enter(patch, "first", seaweedfs_server)
            add_scenes()
            run_all()
        yield machines
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def second(made: Machines, seaweedfs_server: str, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """Another machine."""
    made.enter(monkeypatch, "second", seaweedfs_server)
    return made


def test_all_is_made_there_and_nothing_but_this_machines_own_is_here(second: Machines) -> None:
    there = ObjectStore(ROOT).sizes("")
    assert {key.split("/")[0] for key in there} == {"tables", "images", "sources", "responses"}
    assert not any((second.folder / "first" / name).exists() for name in ("tables", "responses"))
    store = DeltaStore(f"{ROOT}/tables")
    assert all(store.read(name).height for name in ASSETS)
    assert store.read("images")["uri"].str.starts_with(f"{ROOT}/images/scenes/").all()


def test_a_machine_with_an_empty_folder_shows_rows_with_their_picture(
    second: Machines, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    store = DeltaStore(f"{ROOT}/tables")
    trace, image = store.read("expanded_traces").row(0, named=True), store.read("images").row(0, named=True)
    lgt("show", trace["trace_id"])
    shown = capsys.readouterr().out
    assert trace["trace_id"] in shown and trace["cot_id"] in shown
    lgt("show", image["image_id"], "--html", str(tmp_path / "row.html"))
    page = (tmp_path / "row.html").read_text()
    assert image["image_id"] in page and "data:image/" in page and "cannot be" not in page


def test_a_machine_with_an_empty_folder_exports_the_release(
    second: Machines, tmp_path: Path, seaweedfs_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = export(tmp_path / "second")
    assert any(name.endswith(".parquet") for name in elsewhere)
    lgt("export", "--verify", str(tmp_path / "second"))
    second.enter(monkeypatch, "first", seaweedfs_server)
    assert export(tmp_path / "first") == elsewhere


def test_another_machine_pays_for_nothing_again(
    second: Machines, seaweedfs_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    second.enter(monkeypatch, "third", seaweedfs_server, tables="made-again")
    asked, there = second.asked(), ObjectStore(ROOT).sizes("responses")
    assert asked > 0
    add_scenes()
    run_all()
    assert second.asked() == asked
    assert tables("made-again") == tables("tables")
    assert ObjectStore(ROOT).sizes("responses") == there
    lgt("store", "verify", "--json")
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1]) == {"shards": 1, "problems": []}
    lgt("store", "stats", "--json")
    (row,) = json.loads(capsys.readouterr().out.strip().splitlines()[-1])["shards"]
    assert row["shared"] == {"bytes": sum(there.values()), "chunks": len(there), "completions_here_alone": 0}
    lgt("store", "gc", "--json")
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["completions"] == 0


def test_a_takedown_that_would_miss_what_is_shared_is_refused(second: Machines) -> None:
    from lgt_assets.assets.takedown import take_down
    from lgt_assets.takedown.taking_down import Places

    places = Places(Tables().store(), second.folder / "second", second.folder / "second" / "responses")
    with open_instance() as instance, pytest.raises(SettingsError, match="does not reach what machines share"):
        take_down(instance, places, ["any"])


def test_credentials_are_written_nowhere(second: Machines) -> None:
    """In no file of a machine (tables of Dagster's records, logs, caches), no object, and no cell of a table."""
    secrets = [text.encode() for text in (ACCESS_KEY, SECRET_KEY)]
    files = [path for path in second.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    contents = {str(path): path.read_bytes() for path in files}
    store = ObjectStore(ROOT)
    contents |= {key: store.read(key) for key in store.sizes("")}
    assert any(key.endswith(".json") and b"commitInfo" in content for key, content in contents.items())
    rows = DeltaStore(f"{ROOT}/tables")  # Parquet is compressed: its texts are looked at as rows
    contents |= {table: canonical_rows(rows.read(table)).encode() for table in SCHEMAS if rows.exists(table)}
    assert [place for place, content in contents.items() if any(secret in content for secret in secrets)] == []
