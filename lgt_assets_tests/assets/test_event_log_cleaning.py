"""What Dagster shows of a touched shard goes from the event log's own files; what it shows of others, and numbers, stay."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.assets.event_log_cleaning import clean_event_log, cleaned
from lgt_assets.checks.declarations import DECLARATIONS
from lgt_assets.checks.evaluation import latest_materialization, shard_evaluation
from lgt_assets.quality.findings import Finding
from lgt_assets_tests.takedown.traces import found_below

TOUCHED, OTHER = "a-00000", "a-00001"
PREVIEW, SAID, WORDS = "data:image/png;base64,AAAABBBB", "row q.a-00000.0 says: periwinkle", "a vermilion umbrella"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Events of two shards, in a run's own database and outside of runs, and a check of each."""
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:

        @dg.op
        def report(context) -> None:
            for shard in (TOUCHED, OTHER):
                context.log_event(materialization(shard))
                context.log.info(f"{shard}: {WORDS} is on its way")

        @dg.job
        def reporting() -> None:
            report()

        assert reporting.execute_in_process(instance=instance).success
        for shard in (TOUCHED, OTHER):
            instance.report_runless_asset_event(materialization(shard))
            made = latest_materialization(instance, "images", shard)
            finding = Finding(False, SAID.replace("a-00000", shard), {"bad": 1})
            instance.report_runless_asset_event(shard_evaluation(DECLARATIONS[0], "images", shard, finding, made))
        yield instance


def materialization(shard: str) -> dg.AssetMaterialization:
    shown = dg.MetadataValue.md(f"![]({PREVIEW}{shard})")
    return dg.AssetMaterialization("images", partition=shard, metadata={"preview": shown, "rows": 7})


def test_files_hold_nothing_of_the_touched_shard(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    needles = {PREVIEW + TOUCHED, SAID, WORDS}
    kept = {PREVIEW + OTHER, SAID.replace(TOUCHED, OTHER)}
    before = found_below(tmp_path, needles)
    assert set().union(*before.values()) == needles and len(before) >= 3  # the index, the run, and outside of runs
    assert clean_event_log(instance, shards=[TOUCHED], texts=[WORDS], releases=[]) > 0
    assert found_below(tmp_path, needles) == {}
    assert set().union(*found_below(tmp_path, kept).values()) == kept
    assert clean_event_log(instance, shards=[TOUCHED], texts=[WORDS], releases=[]) == 0


def test_events_are_still_read_and_numbers_stay(instance: dg.DagsterInstance) -> None:
    clean_event_log(instance, shards=[TOUCHED], texts=[WORDS], releases=[])
    for shard, shown in ((TOUCHED, "(taken down)"), (OTHER, f"![]({PREVIEW}{OTHER})")):
        metadata = latest_materialization(instance, "images", shard).asset_materialization.metadata
        assert metadata["rows"].value == 7 and metadata["preview"].value == shown
    run = instance.get_runs()[0]
    messages = [entry.message for entry in instance.all_logs(run.run_id)]
    assert any("(taken down) is on its way" in message for message in messages)


def test_databases_are_whole(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    clean_event_log(instance, shards=[TOUCHED], texts=[WORDS], releases=[])
    for path in tmp_path.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("pragma integrity_check").fetchone() == ("ok",)


def test_the_card_of_a_release_goes_and_its_numbers_stay() -> None:
    entry = '{"entry_data": {"__class__": "MarkdownMetadataEntryData", "md_str": "%s"}, "label": "%s"}'
    entries = ", ".join([entry % ("words", "card"), entry % ("7", "rows")])
    told = f'{{"metadata_entries": [{entries}], "text": "0123456789abcdef"}}'
    assert cleaned(told, [], ["0123456789abcdef"]) == told.replace("words", "(taken down)")
    assert cleaned(told, ["b-00000"], ["another"]) == told
