"""Gates, backfills and automation on the real web server and daemon, with twelve shards of one picture each.

The model is a server that answers by rule; everything else is what users run.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from lgt_assets.partitions import registered_shards
from lgt_assets.sources import add_source
from lgt_assets_tests.dagit import wait_until
from lgt_assets_tests.served import CANCEL, REEXECUTE, Served, lgt, serving

SHARDS = 12
SOURCES = ["images", "grounded_objects"]
BELOW = ["composed_questions", "distilled_cots", "rl_prompts"]
ASKING = ["seed_questions", "composed_questions", "distilled_cots"]
ENDING = [dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED]
IN_FLIGHT = 8  # of the profile that benchmarks.crash writes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), delay=0.05) as served:
        yield served


@pytest.fixture(scope="module")
def shards(served: Served) -> list[str]:
    """Twelve shards with pictures and boxes."""
    shards = served.add_scenes("twelve", SHARDS, seed=1)
    assert served.dagit.backfill(SOURCES, shards)["status"] == "COMPLETED_SUCCESS"
    return shards


def counts(backfill: dict) -> dict[str, tuple[int, int]]:
    """Shards made and failed, by asset."""
    return {
        status["assetKey"]["path"][0]: (status["numPartitionsMaterialized"], status["numPartitionsFailed"])
        for status in backfill["assetBackfillData"]["assetBackfillStatuses"]
    }


def test_below_a_poisoned_shard_nothing_is_made_and_everything_else_is(served: Served, shards: list[str]) -> None:
    bad, good = shards[5], [*shards[:5], *shards[6:]]
    served.poison("images", bad, caption="")
    # in separate runs
    status, said = served.launch_run(["seed_questions"], shards[0], shards[7])
    assert status == "FAILURE"
    assert "caption breaks" in said and f"lgt run --select images --shards {bad}" in said
    assert served.launch_run(["seed_questions"], shards[8], shards[-1])[0] == "SUCCESS"
    assert served.partitions("seed_questions", shards)["failed"] == {bad}
    # from the button for backfills, several assets in one run
    backfill = served.dagit.backfill(BELOW, shards)
    assert backfill["status"] == "COMPLETED_FAILED"
    assert counts(backfill) == dict.fromkeys(BELOW, (SHARDS - 1, 1))
    for asset in ("seed_questions", *BELOW):
        assert served.store.shards(asset) == good, asset
        found = served.partitions(asset, shards)
        assert (found["materialized"], found["failed"]) == (set(good), {bad}), asset
        assert served.check(asset, "keys", good[0])["status"] == "SUCCEEDED"
    # as the message says
    assert served.launch_run(["images"], bad, bad)[0] == "SUCCESS"
    mended = served.dagit.backfill(["seed_questions", *BELOW], [bad])
    assert mended["status"] == "COMPLETED_SUCCESS"
    assert served.store.shards("rl_prompts") == shards


def test_a_backfill_cancelled_half_way_and_resumed_pays_nothing_twice(served: Served) -> None:
    shards = served.add_scenes("half", SHARDS, seed=2)
    assert served.dagit.backfill(SOURCES, shards)["status"] == "COMPLETED_SUCCESS"
    before = len(served.asked())
    launched = served.dagit.launch_backfill(ASKING, shards)
    wait_until(lambda: len(served.asked()) > before + 150, 120, "half of the requests")
    with served.answers_withheld(), served.instance() as instance:  # until the daemon is there, half stays half
        said = served.dagit.query(CANCEL, {"id": launched})["cancelPartitionBackfill"]
        assert said["__typename"] == "CancelBackfillSuccess", said
        ending = dg.RunsFilter(tags={"dagster/backfill": launched}, statuses=ENDING)
        wait_until(lambda: instance.get_runs(ending), 120, "the end of a run")
    cancelled = served.dagit.finished_backfill(launched)
    assert cancelled["status"] == "CANCELED"
    assert 0 < sum(made for made, _failed in counts(cancelled).values()) < SHARDS * len(ASKING)
    with served.instance() as instance:
        free_slots(instance)
    again = {"parentRunId": launched, "strategy": "FROM_FAILURE"}
    resumed = served.dagit.query(REEXECUTE, {"params": again})["reexecutePartitionBackfill"]
    assert resumed["__typename"] == "LaunchBackfillSuccess", resumed
    assert served.dagit.finished_backfill(resumed["backfillId"])["status"] == "COMPLETED_SUCCESS"
    for asset in ASKING:
        assert set(shards) <= set(served.store.shards(asset))
        assert served.partitions(asset, shards)["materialized"] == set(shards)
    requests = served.asked()[before:]
    paid = served.store.read("generations", shards=shards).height
    assert len(set(requests)) == paid
    assert len(requests) - paid <= 2 * IN_FLIGHT  # two runs at once, and what was in flight in each
    with served.instance() as instance:
        free_slots(instance)


def free_slots(instance: dg.DagsterInstance) -> None:
    """Fails unless the pool of models is free, within the time that a cancelled run may hold it."""
    storage = instance.event_log_storage
    wait_until(lambda: storage.get_concurrency_info("gpu").active_slot_count == 0, 60, "a free slot")


CHAIN = [*SOURCES, *ASKING]


def test_an_edited_prompt_marks_its_asset_and_making_one_shard_again_touches_no_other(served: Served) -> None:
    shards = served.add_scenes("edited", 3, seed=3)
    assert served.dagit.backfill(CHAIN, shards)["status"] == "COMPLETED_SUCCESS"
    fresh = dict.fromkeys(CHAIN, ("FRESH", []))
    assert served.stale(CHAIN, shards[0]) == fresh
    template = served.prompts / "composer.jinja"
    template.write_text(template.read_text() + "\nTake your time.\n")
    served.reload()
    edited = fresh | {"composed_questions": ("STALE", ["CODE"])}
    assert [served.stale(CHAIN, shard) for shard in shards] == [edited] * 3
    before = served.slices(CHAIN, shards)
    assert served.launch_run(["composed_questions"], shards[1], shards[1]) == ("SUCCESS", "")
    after = served.slices(CHAIN, shards)
    made = ("composed_questions", shards[1])
    assert all(was != now for was, now in zip(before[made], after[made], strict=True))
    assert {key for key in before if before[key] != after[key]} == {made}
    assert served.stale(CHAIN, shards[0]) == edited
    assert served.stale(CHAIN, shards[1]) == fresh | {"distilled_cots": ("STALE", ["DATA"])}
    # rows that come out the same leave what is below them fresh
    assert served.launch_run(["seed_questions"], shards[2], shards[2]) == ("SUCCESS", "")
    assert served.stale(CHAIN, shards[2]) == edited


def test_a_sensor_registers_shards_and_rows_that_came_without_dagit(served: Served, tmp_path: Path) -> None:
    rows = [manifest_row(tmp_path, number) for number in range(3)]
    manifest = tmp_path / "grown.jsonl"
    manifest.write_text("".join(rows[:2]))
    lgt(served.folder, "sources", "add", "grown", "--kind", "manifest", "--path", str(manifest), "--shard-size", "1")
    recorded = served.state / "sources" / "grown" / "source.yaml"
    manifest.write_text("".join(rows))
    for path, seconds_ago in ((recorded, 60), (manifest, 30)):
        os.utime(path, (time.time() - seconds_ago,) * 2)
    new = add_source(served.state, "silent", "scenes", {"count": 2, "seed": 5}, shard_size=1).new_shards
    with served.instance() as instance:
        wanted = {*new, "grown-00000", "grown-00001", "grown-00002"}
        wait_until(lambda: wanted <= set(registered_shards(instance)), 150, "new shards as partitions")
    members = served.store.read("shard_members")
    assert wanted <= set(members["shard"])
    assert members["image_id"].is_duplicated().sum() == 0


def manifest_row(folder: Path, number: int) -> str:
    """A line of a manifest, with its picture."""
    Image.new("RGB", (40, 30), (40 * number, 10, 10)).save(folder / f"{number}.png")
    row = {"image": f"{number}.png", "caption": f"Sheet number {number}.", "license": "CC0"}
    return json.dumps(row | {"boxes": [{"label": "sheet", "box": [0, 0, 40, 30]}]}) + "\n"
