"""A takedown leaves no row, file or release line of the picture behind: every file below the state folder is searched."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
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
from lgt_assets.release.exporting import export_release
from lgt_assets.release.formats.rows import ROWS
from lgt_assets.release.manifest import verify
from lgt_assets.release.options import Options
from lgt_assets.release.pins import read_release
from lgt_assets.sources import add_source
from lgt_assets.sources.shards import read_shard
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.below import KEYS, OF_PICTURES
from lgt_assets.takedown.plan import plan_path
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
    state = shutil.copytree(made.state, tmp_path / "state")
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


def test_no_trace_is_left_and_all_else_is_as_it_was(
    instance: dg.DagsterInstance, places: Places, originals: Path, tmp_path: Path
) -> None:
    image, (release_id,) = first(places), places.store.read("release")["release_id"]
    tables, mine = TableFolder(places.store.root), tmp_path / "my export"
    export_release(read_release(tables, release_id), tables, mine, Options(ROWS))
    plan = make_plan(places, [image["image_id"]])
    needles = needles_of(places, image) | set(plan.rows["generations"]) | set(plan.rows["rejections"])
    before, untouched = rows_of_others(places, image, set(plan.ids)), [contents(mine), contents(originals)]
    stores = {place.split("/")[0] for place in found_below(places.state, needles)}
    assert stores == {"tables", "responses", "releases", "sources", "dagster"}
    others = {row["request_key"] for row in before["generations"]}

    (done,) = take_down(instance, places, [image["image_id"]])

    assert done.releases == [release_id] and not plan_path(places.state).exists()
    left = found_below(places.state, needles)
    assert {place for place in left if not place.startswith(TOMBSTONES)} == set()
    assert set().union(*left.values()) == {image["image_id"], image["sha256"]}
    assert rows_of_others(places, image, set(plan.ids)) == before
    stored = [key for rows in stored_completions(places.responses, SHARDS[0]) for key in rows["request_key"]]
    assert (
        set(stored) == {key for key in others if key in set(stored)} and len(stored) == 3
    )  # the other picture's question
    assert verify_completions(places.responses, SHARDS[0]) == []
    assert [contents(mine), contents(originals)] == untouched
    found = verify(places.releases / release_id)
    assert found.is_whole and found.files
    members = places.store.read("shard_members").filter("removed")
    assert members["image_id"].to_list() == [image["image_id"]]


def test_the_gate_passes_and_nothing_above_the_release_is_stale(instance: dg.DagsterInstance, places: Places) -> None:
    image = first(places)
    versions = {
        (table, shard): latest_materialization(instance, table, shard).storage_id
        for table in STAGES
        for shard in SHARDS
    }
    take_down(instance, places, [image["image_id"]])
    for table, stage in STAGES.items():
        require_whole(instance, places.store, table, SHARDS[0])
        read_upstream(instance, places.store, table, SHARDS[0])
        made = latest_materialization(instance, table, SHARDS[0])
        assert made.storage_id > versions[table, SHARDS[0]]
        assert input_versions(instance, stage.upstream, SHARDS[0]).items() <= made.asset_materialization.tags.items()
        assert latest_materialization(instance, table, SHARDS[1]).storage_id == versions[table, SHARDS[1]]


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


def test_show_and_export_say_what_happened(instance: dg.DagsterInstance, places: Places) -> None:
    image = first(places)
    question = places.store.read("seed_questions").filter(pl.col("image_id") == image["image_id"])["question_id"][0]
    (release_id,) = places.store.read("release")["release_id"]
    elsewhere = release_of(places, SHARDS[1:])
    (done,) = take_down(instance, places, [image["sha256"]])
    tables = TableFolder(places.store.root)
    for name in (image["image_id"], image["sha256"], question):
        with pytest.raises(NotFoundError):
            find(tables, name)
        with pytest.raises(
            TakenDownError, match=f"was taken down on {done.began_at[:4]}.*`lgt takedown {image['image_id']} --yes`"
        ):
            require_not_taken_down(tables, name)
    require_not_taken_down(tables, "q.made-00000.0123456789abcdef")
    with pytest.raises(TakenDownError, match=f"release {release_id} can no longer be rebuilt"):
        require_rebuildable(tables, release_id)
    require_rebuildable(tables, elsewhere)


def test_a_release_of_other_shards_is_written_again(
    instance: dg.DagsterInstance, places: Places, tmp_path: Path
) -> None:
    """It pins versions of tables whose files of the touched shard are gone: its own are there."""
    elsewhere, tables = release_of(places, SHARDS[1:]), TableFolder(places.store.root)
    export_release(read_release(tables, elsewhere), tables, tmp_path / "before", Options(ROWS))
    take_down(instance, places, [first(places)["image_id"]])
    export_release(read_release(tables, elsewhere), tables, tmp_path / "after", Options(ROWS))
    assert contents(tmp_path / "before") == contents(tmp_path / "after")


def test_adding_and_making_again_bring_nothing_back(
    instance: dg.DagsterInstance, places: Places, originals: Path
) -> None:
    image = first(places)
    needles = {"harlequin umbrella", UMBRELLA, "Photographer 0"}
    take_down(instance, places, [image["uri"]])
    options = {"path": str(originals / "manifest.jsonl")}
    addition = add_source(places.state, "made", "manifest", options, shard_size=2)
    assert (addition.new_shards, addition.images_added, addition.problems_added) == ((), 0, 0)
    from lgt_assets.sources import shard_rows

    content = read_shard(places.state, SHARDS[0])
    assert content.removed == (image["sha256"],) and len(content.pictures) == 1
    assert [row["caption"] for row in shard_rows(places.state, SHARDS[0]).images] == [CAPTIONS[1]]
    assert found_below(places.state / "sources", needles) == {}


def test_it_is_refused_while_runs_are_active(instance: dg.DagsterInstance, places: Places) -> None:
    launch(instance, dg.DagsterRunStatus.STARTED, "images")
    with pytest.raises(StorageError, match="no takedown while runs are active"):
        take_down(instance, places, [first(places)["image_id"]])
    assert not places.store.exists("takedowns") and not plan_path(places.state).exists()


def test_twice_and_unknown_names_are_messages(instance: dg.DagsterInstance, places: Places) -> None:
    image = first(places)
    with pytest.raises(NotFoundError, match="no source holds a picture nobody.png"):
        take_down(instance, places, ["nobody.png"])
    take_down(instance, places, [image["image_id"]])
    with pytest.raises(NotFoundError, match="was taken down already"):
        take_down(instance, places, [image["image_id"]])


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
@pytest.mark.parametrize(
    "last", ["the plan", "tombstones", "seed_questions", "sft_mix", "the response", "earlier", "Dagster"]
)
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
