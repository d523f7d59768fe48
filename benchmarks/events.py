"""What a backfill leaves in Dagster's event log, and how long Dagit's asset page then takes to load.

Two sets of materializations lie in one real SQLite instance. The *realistic* ones are made by the graph itself: images and
grounded_objects of rendered scenes, in runs of eight shards as the backfill policy cuts them. The *largest* are what the platform
would write for rows that fill all it allows, pictures of noise and long texts, recorded for seed_questions, one a shard.
Queries are those that Dagit sends when an asset's page, and its plots, are opened; each time is the median of three.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ASSETS = ("images", "grounded_objects")
LARGEST = "seed_questions"
PICTURES_A_SHARD = 2
PLOTTED = 120  # materializations that Dagit loads for its plots
REPEATS = 3
ENTRY = """
__typename label description
... on MarkdownMetadataEntry { mdStr } ... on IntMetadataEntry { intValue intRepr } ... on FloatMetadataEntry { floatValue }
... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString } ... on PathMetadataEntry { path }
... on TableSchemaMetadataEntry { schema { columns { name type description constraints { nullable unique other } } } }
... on TableColumnLineageMetadataEntry { lineage { columnName columnDeps { assetKey { path } columnName } } }
"""
EVENT = f"partition timestamp runId stepKey metadataEntries {{ {ENTRY} }}"
QUERIES = {
    "node_s": f"""query Node($key: AssetKeyInput!) {{ assetNodeOrError(assetKey: $key) {{ ... on AssetNode {{
        id description groupName kinds tags {{ key value }} owners {{ ... on TeamAssetOwner {{ team }} }}
        dependencyKeys {{ path }} assetChecksOrError {{ ... on AssetChecks {{ checks {{ name description }} }} }}
        metadataEntries {{ {ENTRY} }} }} }} }}""",
    "partitions_s": """query Partitions($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
        id partitionKeys partitionStats { numMaterialized numPartitions numFailed numMaterializing }
        assetPartitionStatuses { __typename ... on DefaultPartitionStatuses {
            materializedPartitions failedPartitions } } } } }""",
    "latest_s": f"""query Latest($key: AssetKeyInput!) {{ assetOrError(assetKey: $key) {{ ... on Asset {{
        id assetEventHistory(limit: 1, eventTypeSelectors: [MATERIALIZATION, OBSERVATION, FAILED_TO_MATERIALIZE]) {{
        cursor results {{ ... on MaterializationEvent {{ {EVENT} }} ... on ObservationEvent {{ {EVENT} }} }} }} }} }} }}""",
    "plots_s": f"""query Plots($key: AssetKeyInput!, $partitions: [String!]) {{ assetNodeOrError(assetKey: $key) {{
        ... on AssetNode {{ id latestMaterializationByPartition(partitions: $partitions) {{ {EVENT} }} }} }} }}""",
}  # fmt: skip
PAGE = ("node_s", "partitions_s", "latest_s")


def make_realistic(shards: int) -> list[str]:
    """Add scenes and make the two cheap assets of all shards; the shards' keys."""
    from lgt_assets import runs
    from lgt_assets.assets.registration import register
    from lgt_assets.instance import open_instance
    from lgt_assets.partitions import registered_shards
    from lgt_assets.resources import Tables

    with open_instance() as instance:
        options = {"count": str(shards * PICTURES_A_SHARD)}
        register(instance, Tables().store(), "scenes", "scenes", options, shard_size=PICTURES_A_SHARD)
        for name in ASSETS:
            assert not runs.run(instance, selection=name).failures
        return registered_shards(instance)


def record_largest(folder: Path, shards: list[str]) -> None:
    """Record a materialization of the largest kind for each shard; it is made once, by the platform's own code."""
    import dagster as dg

    from lgt_assets.instance import open_instance
    from lgt_assets.observe.materialization import shard_metadata
    from lgt_assets.schemas import frame
    from lgt_assets_tests.made_tables import funnel_row
    from lgt_assets_tests.observe.test_preview import NOISE, image_at, png
    from lgt_assets_tests.rows import object_row, question_row

    images = [image_at(folder / f"{number}.png", png(NOISE.rotate(number))) for number in range(6)]
    objects = [object_row(image, number, phrase="word " * 1000) for image in images for number in range(12)]
    long = {"question": "\N{GRINNING FACE}|<" * 1000, "choices": ["|" * 9999, "<" * 9999], "question_type": "*" * 9999}
    rows = [question_row(image, objects[:12], number, **long) for number, image in enumerate(images)]
    tables = {"images": images, "grounded_objects": objects}
    metadata = shard_metadata(
        LARGEST, funnel=funnel_row(LARGEST, accepted=6, rejected=60), reasons=[f"reason_{n}_{'x' * 99}" for n in range(60)],
        delta_version=1, batches=[frame(LARGEST, rows)],
        find=lambda table, key, values: [row for row in tables.get(table, []) if row[key] in values],
    )  # fmt: skip
    with open_instance() as instance:
        for shard in shards:
            instance.report_runless_asset_event(dg.AssetMaterialization(LARGEST, partition=shard, metadata=metadata))


def event_log_mb(state: Path) -> float:
    """Size of the instance's SQLite files, runs and events, in megabytes."""
    files = [path for path in (state / "dagster").rglob("*") if ".db" in path.name and path.is_file()]
    return round(sum(path.stat().st_size for path in files) / 1e6, 2)


def materialization_kb(asset: str) -> list[float]:
    """Sizes of the asset's materializations as they are stored, in kilobytes."""
    import dagster as dg
    from dagster._serdes import serialize_value

    from lgt_assets.instance import open_instance

    with open_instance() as instance:
        records = instance.fetch_materializations(dg.AssetRecordsFilter(dg.AssetKey(asset)), limit=10_000).records
        return [len(serialize_value(record.asset_materialization)) / 1000 for record in records]


def count_events() -> int:
    """All events in the instance: of runs, and of assets outside of runs."""
    from lgt_assets.instance import open_instance

    with open_instance() as instance:
        records = instance.get_run_records()
        runless = len(materialization_kb(LARGEST))
        return runless + sum(len(instance.all_logs(record.dagster_run.run_id)) for record in records)


def load_times(state: Path, shards: list[str], assets: tuple[str, ...]) -> Iterator[tuple[str, dict[str, float]]]:
    """For each asset the seconds of each query on the real web server, and megabytes of the plots' answer."""
    from lgt_assets_tests.dagit import running_dagit

    environment = {"LGT_PROFILE": "embedded", "HF_HUB_OFFLINE": "1"}
    with running_dagit(state, state / "dagit.log", environment) as dagit:
        dagit.query(QUERIES["node_s"], {"key": {"path": [assets[0]]}})  # loads the code location
        for asset in assets:
            variables = {"key": {"path": [asset]}, "partitions": list(islice(reversed(shards), PLOTTED))}
            found: dict[str, float] = {}
            for name, query in QUERIES.items():
                times = []
                for _ in range(REPEATS):
                    started = time.perf_counter()
                    answer = dagit.query(query, variables)
                    times.append(time.perf_counter() - started)
                found[name] = round(statistics.median(times), 3)
            found["plots_mb"] = round(len(json.dumps(answer)) / 1e6, 2)
            found["load_s"] = round(sum(found[name] for name in PAGE), 3)
            yield asset, found


def measure(shards: int) -> dict:
    """All figures, in a state folder of its own."""
    with tempfile.TemporaryDirectory(prefix="lgt-events-") as folder:
        state = Path(folder) / "state"
        os.environ |= {"LGT_STATE": str(state), "LGT_PROFILE": "embedded"}
        keys = make_realistic(shards)
        realistic, log = [size for name in ASSETS for size in materialization_kb(name)], event_log_mb(state)
        record_largest(Path(folder), keys)
        largest, both = materialization_kb(LARGEST), event_log_mb(state)
        loads = dict(load_times(state, keys, (*ASSETS, LARGEST)))
        return {
            "shards": shards, "event_log_mb": log, "largest_metadata_kb": round(max(largest), 1), "events": count_events(),
            "load_s": max(loads[name]["load_s"] for name in ASSETS), "metadata_kb": round(statistics.mean(realistic), 1),
            "event_log_with_largest_mb": both, "load_with_largest_s": loads[LARGEST]["load_s"], "queries": loads,
        }  # fmt: skip


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.shards)
    if arguments.json:
        print(json.dumps(figures))
        return
    each = f"{figures['shards']} shards x {len(ASSETS)} assets, {figures['metadata_kb']} kB each"
    print(f"{each}: {figures['event_log_mb']} MB of event log")
    print(
        f"largest metadata {figures['largest_metadata_kb']} kB; {figures['events']} events; asset page {figures['load_s']} s"
    )
    for asset, times in figures["queries"].items():
        print(f"  {asset}: {', '.join(f'{name} {value}' for name, value in times.items())}")


if __name__ == "__main__":
    main()
