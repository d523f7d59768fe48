"""A takedown leaves no row, file or release line of the picture behind: every file below the state folder is searched."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from lgt_assets.assets.materialization import input_versions
from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.assets.takedown import take_down
from lgt_assets.assets.upstream import read_upstream, require_whole
from lgt_assets.checks.evaluation import latest_materialization
from lgt_assets.delta_files import TableFolder
from lgt_assets.engines.store_maintenance import stored_completions
from lgt_assets.engines.store_maintenance import verify as verify_completions
from lgt_assets.errors import NotFoundError, StorageError, TakenDownError
from lgt_assets.lineage.subject import find
from lgt_assets.pinned_versions import pinned_versions
from lgt_assets.release.exporting import export_release
from lgt_assets.release.formats.rows import ROWS
from lgt_assets.release.manifest import verify
from lgt_assets.release.options import Options
from lgt_assets.release.pins import read_release
from lgt_assets.sources import add_source, shard_rows
from lgt_assets.sources.shards import read_shard
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.below import KEYS, OF_PICTURES
from lgt_assets.takedown.exports import holds_release
from lgt_assets.takedown.plan import Plan, plan_path
from lgt_assets.takedown.records import require_not_taken_down, require_rebuildable, takedowns
from lgt_assets.takedown.taking_down import Places, make_plan
from lgt_assets_tests.assets.test_maintenance import launch
from lgt_assets_tests.release.made_dataset import SHARDS, UMBRELLA
from lgt_assets_tests.takedown.made_state import CAPTIONS, make_state, opened, record_all, release_of
from lgt_assets_tests.takedown.traces import found_below

# Where the tombstone stands, and all that it may say.
TOMBSTONES = ("sources/made/made-00000.jsonl", "tables/shard_members/", "tables/takedowns/")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Made once; every test works on a copy of the state. The originals are shared: nobody writes to them."""
    places = make_state(tmp_path_factory.mktemp("made"))
    with pytest.MonkeyPatch.context() as patch, opened(places, patch) as instance:
        record_all(instance, places)
    return places


@pytest.fixture
def places(made: Places, tmp_path: Path) -> Places:
    return copy_of(made, tmp_path)


def copy_of(made: Places, folder: Path) -> Places:
    state = shutil.copytree(made.state, folder / "state")
    return Places(DeltaStore(str(state / "tables")), state, state / "responses")


@pytest.fixture
def originals(made: Places) -> Path:
    return made.state.parent / "originals"


@pytest.fixture
def instance(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    with opened(places, monkeypatch) as instance:
        yield instance


def first(places: Places) -> dict:
    """The picture that has to go: in the first shard, beside another."""
    return places.store.read("images", shards=SHARDS[:1]).row(0, named=True)


def needles_of(places: Places, image: dict) -> set[str]:
    """Ids of all of the picture's rows, its keys, contents and words."""
    found = {image["image_id"], image["sha256"], image["caption"], "harlequin umbrella", UMBRELLA, "Photographer 0"}
    for table in OF_PICTURES:
        rows = places.store.read(table).filter(pl.col("image_id") == image["image_id"])
        found |= set(rows[KEYS[table]])
        if "request_key" in rows.columns and table == "seed_questions":
            found |= set(rows["request_key"])
    return found


def rows_of_others(places: Places, image: dict, keys: set[str]) -> dict[str, list[dict]]:
    """All rows of all tables that are not the picture's."""
    found = {}
    for table, key in KEYS.items():
        rows = places.store.read(table)
        own = pl.col(key).is_in(sorted(keys))
        if "image_id" in rows.columns:
            own |= pl.col("image_id") == image["image_id"]
        if table == "rejections":
            own |= pl.col("parent_id") == image["image_id"]
        found[table] = rows.filter(~own).to_dicts()
    return found


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@dataclass
class Taken:
    """A takedown that was carried out, and what was there before it."""

    places: Places
    instance: dg.DagsterInstance
    image: dict
    plan: Plan
    question: str
    needles: set[str]
    rows: dict[str, list[dict]]
    untouched: list[dict[str, str]]
    places_found: set[str]
    storage_ids: dict[tuple[str, str], int]
    exports: Path
    elsewhere: str


@pytest.fixture(scope="module")
def taken(made: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """Once for all tests that only look."""
    folder = tmp_path_factory.mktemp("taken")
    places, exports, originals = copy_of(made, folder), folder / "exports", made.state.parent / "originals"
    elsewhere, (release_id,) = release_of(places, SHARDS[1:]), made.store.read("release")["release_id"]
    tables = TableFolder(places.store.root)
    export_release(read_release(tables, release_id), tables, exports / "mine", Options(ROWS))
    export_release(read_release(tables, elsewhere), tables, exports / "before", Options(ROWS))
    with pytest.MonkeyPatch.context() as patch, opened(places, patch) as instance:
        image = first(places)
        plan = make_plan(places, [image["image_id"]])
        needles = needles_of(places, image) | set(plan.rows["generations"]) | set(plan.rows["rejections"])
        untouched = [contents(exports), contents(originals)]
        found = {place.split("/")[0] for place in found_below(places.state, needles)}
        ids = {
            (table, shard): latest_materialization(instance, table, shard).storage_id
            for table in STAGES for shard in SHARDS
        }  # fmt: skip
        question = places.store.read("seed_questions").filter(pl.col("image_id") == image["image_id"])["question_id"][0]
        before = rows_of_others(places, image, set(plan.ids))
        (done,) = take_down(instance, places, [image["image_id"]])
        assert done.rows == plan.rows and done.releases == [release_id]
        yield Taken(
            places, instance, image, plan, question, needles, before, untouched, found, ids, exports, elsewhere
        )  # fmt: skip


def test_no_trace_is_left(taken: Taken) -> None:
    assert taken.places_found == {"tables", "responses", "releases", "sources", "dagster"}
    assert not plan_path(taken.places.state).exists()
    left = found_below(taken.places.state, taken.needles)
    assert {place for place in left if not place.startswith(TOMBSTONES)} == set()
    assert set().union(*left.values()) == {taken.image["image_id"], taken.image["sha256"]}
    members = taken.places.store.read("shard_members").filter("removed")
    assert members["image_id"].to_list() == [taken.image["image_id"]]


def test_all_else_is_as_it_was(taken: Taken, originals: Path) -> None:
    assert rows_of_others(taken.places, taken.image, set(taken.plan.ids)) == taken.rows
    stored = [key for rows in stored_completions(taken.places.responses, SHARDS[0]) for key in rows["request_key"]]
    assert len(stored) == 3 and set(stored) <= {row["request_key"] for row in taken.rows["generations"]}
    assert verify_completions(taken.places.responses, SHARDS[0]) == []
    assert [contents(taken.exports), contents(originals)] == taken.untouched


def test_the_release_is_whole_without_it(taken: Taken) -> None:
    folder = taken.places.releases / taken.plan.releases[0]
    found = verify(folder)
    assert found.is_whole and found.files
    rows = {table: set(ids) for table, ids in taken.plan.rows.items()}
    mix = pl.read_parquet(folder / "sft_stage1/train.parquet")
    was = pl.read_parquet(taken.exports / "mine/sft_stage1/train.parquet")
    assert mix.equals(was.filter(~pl.col("example_id").is_in(sorted(rows["sft_mix"]))))
    told = json.loads((folder / "release.json").read_text())
    counts = {(one["config"], one["split"]): one["rows"] for one in told["rows"]}
    assert told["taken_down"] and counts["sft_stage1", "train"] == mix.height
    assert f"num_examples: {mix.height}" in (folder / "README.md").read_text()
    assert holds_release(taken.exports / "mine", taken.plan.releases)
    assert not holds_release(taken.exports / "before", taken.plan.releases)


def test_the_gate_passes_and_nothing_is_stale(taken: Taken) -> None:
    instance, store = taken.instance, taken.places.store
    for table, stage in STAGES.items():
        require_whole(instance, store, table, SHARDS[0])
        read_upstream(instance, store, table, SHARDS[0])
        made = latest_materialization(instance, table, SHARDS[0])
        assert made.storage_id > taken.storage_ids[table, SHARDS[0]]
        assert input_versions(instance, stage.upstream, SHARDS[0]).items() <= made.asset_materialization.tags.items()
        assert latest_materialization(instance, table, SHARDS[1]).storage_id == taken.storage_ids[table, SHARDS[1]]


def test_show_and_export_say_what_happened(taken: Taken) -> None:
    tables = TableFolder(taken.places.store.root)
    told = f"was taken down on 20.*`lgt takedown {taken.image['image_id']} --yes`"
    for name in (taken.image["image_id"], taken.image["sha256"], taken.question):
        with pytest.raises(NotFoundError):
            find(tables, name)
        with pytest.raises(TakenDownError, match=told):
            require_not_taken_down(tables, name)
    require_not_taken_down(tables, "q.made-00000.0123456789abcdef")
    with pytest.raises(TakenDownError, match=f"release {taken.plan.releases[0]} can no longer be rebuilt"):
        require_rebuildable(tables, taken.plan.releases[0])
    require_rebuildable(tables, taken.elsewhere)
    assert {
        release for pins in pinned_versions(taken.places.store).values() for one in pins.values() for release in one
    } == {taken.elsewhere}


def test_a_release_of_other_shards_is_written_again(taken: Taken, tmp_path: Path) -> None:
    """It pins versions of tables whose files of the touched shard are gone: its own are there."""
    tables = TableFolder(taken.places.store.root)
    export_release(read_release(tables, taken.elsewhere), tables, tmp_path / "after", Options(ROWS))
    assert contents(taken.exports / "before") == contents(tmp_path / "after")


def test_twice_and_unknown_names_are_messages(taken: Taken) -> None:
    with pytest.raises(NotFoundError, match="no source holds a picture nobody.png"):
        take_down(taken.instance, taken.places, ["nobody.png"])
    with pytest.raises(NotFoundError, match="was taken down already"):
        take_down(taken.instance, taken.places, [taken.image["image_id"]])


def test_adding_and_making_again_bring_nothing_back(taken: Taken, originals: Path) -> None:
    options, state = {"path": str(originals / "manifest.jsonl")}, taken.places.state
    addition = add_source(state, "made", "manifest", options, shard_size=2)
    assert (addition.new_shards, addition.images_added, addition.problems_added) == ((), 0, 0)
    content = read_shard(state, SHARDS[0])
    assert content.removed == (taken.image["sha256"],) and len(content.pictures) == 1
    assert [row["caption"] for row in shard_rows(state, SHARDS[0]).images] == [CAPTIONS[1]]
    assert found_below(state / "sources", {"harlequin umbrella", UMBRELLA, "Photographer 0"}) == {}


def test_what_was_stale_before_is_stale_afterwards(instance: dg.DagsterInstance, places: Places) -> None:
    """The boxes were made of an earlier state of the pictures: a takedown does not hide that."""
    record = latest_materialization(instance, "images", SHARDS[0]).asset_materialization
    tags = dict(record.tags) | {"dagster/data_version": "newer"}
    instance.report_runless_asset_event(
        dg.AssetMaterialization("images", partition=SHARDS[0], metadata=record.metadata, tags=tags)
    )
    take_down(instance, places, [first(places)["image_id"]])
    made = latest_materialization(instance, "grounded_objects", SHARDS[0]).asset_materialization
    now = input_versions(instance, ["images"], SHARDS[0])
    assert made.tags["dagster/input_data_version/images"] != now["dagster/input_data_version/images"]


def test_it_is_refused_while_runs_are_active(instance: dg.DagsterInstance, places: Places) -> None:
    launch(instance, dg.DagsterRunStatus.STARTED, "images")
    with pytest.raises(StorageError, match="no takedown while runs are active"):
        take_down(instance, places, [first(places)["image_id"]])
    assert not places.store.exists("takedowns") and not plan_path(places.state).exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from lgt_assets.assets.takedown import take_down
from lgt_assets.instance import open_instance
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.taking_down import Places
import lgt_assets.definitions

state, name, last = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def step(said):
    if said.startswith(last):
        os.kill(os.getpid(), signal.SIGKILL)
with open_instance() as instance:
    take_down(instance, Places(DeltaStore(str(state / "tables")), state, state / "responses"), [name], step)
"""


@pytest.mark.slow
@pytest.mark.parametrize("last", ["tombstones", "sft_mix", "the response", "Dagster"])
def test_a_killed_takedown_is_completed_by_the_next(instance: dg.DagsterInstance, places: Places, last: str) -> None:
    image = first(places)
    needles = needles_of(places, image)
    environment = os.environ | {"LGT_STATE": str(places.state), "LGT_PROFILE": "embedded"}
    done = subprocess.run([sys.executable, "-c", KILLED, str(places.state), image["image_id"], last], env=environment)
    assert done.returncode == -signal.SIGKILL and plan_path(places.state).is_file()
    said: list[str] = []
    (plan,) = take_down(instance, places, [image["image_id"]], said.append)
    assert said[0] == "a takedown that was interrupted is completed first" and plan.image_ids == [image["image_id"]]
    left = found_below(places.state, needles)
    assert {place for place in left if not place.startswith(TOMBSTONES)} == set()
    for table in STAGES:
        require_whole(instance, places.store, table, SHARDS[0])
    (row,) = takedowns(TableFolder(places.store.root))
    assert {one["table"]: one["rows"] for one in row["removed"]}["seed_questions"] == 2
