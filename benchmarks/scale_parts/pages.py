"""What the instance that the runs left costs whoever looks at it: Dagit's pages, and the daemon's ticks."""

import os
import re
import time
from pathlib import Path

BIG = "distilled_cots"
REPEATS = 3


def page_loads(state: Path, variables: dict[str, str]) -> dict:
    """Median seconds of pages of a big asset in the real browser, or of the page's queries where there is none; and of ticks."""
    import statistics

    from lgt_assets_tests.chromium import PROGRAM
    from lgt_assets_tests.dagit import running_dagit

    os.environ |= variables
    found: dict = {}
    with running_dagit(state, state / "dagit.log", variables) as dagit:
        found["page_queries_s"] = _queries(dagit)
        if PROGRAM is not None:
            times = _in_browser(dagit.url, state / "browser")
            found["page_load_s"] = {name: round(statistics.median(each), 2) for name, each in times.items()}
    return found | {"ticks_s": ticks()}


def _queries(dagit) -> dict[str, float]:
    """Median seconds of the queries that an asset's page makes, as benchmarks.events measures them."""
    import statistics

    from benchmarks.events import PAGE, QUERIES

    variables, found = {"key": {"path": [BIG]}}, {}
    dagit.query(QUERIES["node_s"], variables)  # loads the code location
    for name in PAGE:
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            dagit.query(QUERIES[name], variables)
            times.append(time.perf_counter() - started)
        found[name] = round(statistics.median(times), 3)
    return found


def _in_browser(url: str, profile: Path) -> dict[str, list[float]]:
    """Seconds from the address to what a person came for; the first visit, which also loads Dagit's program, does not count."""
    from lgt_assets_tests.chromium import running_browser

    pages = {
        "overview": (f"{url}/assets/{BIG}", "Latest materialization"),
        "partitions": (f"{url}/assets/{BIG}?view=partitions", _first_or_last_shard()),
        "runs": (f"{url}/runs", "Success"),
    }
    times: dict[str, list[float]] = {name: [] for name in pages}
    with running_browser(profile) as page:
        for repeat in range(REPEATS + 1):
            for name, (address, awaited) in pages.items():
                started = time.perf_counter()
                page.goto(address)
                page.get_by_text(awaited).first.wait_for()
                if repeat:
                    times[name].append(time.perf_counter() - started)
    return times


def _first_or_last_shard() -> re.Pattern:
    """The page's list draws only what is in sight of hundreds of shards: one of its ends."""
    from lgt_assets.instance import open_instance
    from lgt_assets.partitions import registered_shards

    with open_instance() as instance:
        known = registered_shards(instance)
    return re.compile(f"{re.escape(known[0])}|{re.escape(known[-1])}")


def ticks() -> dict[str, float]:
    """Seconds of one evaluation of the sensor for new shards, and of the automation that makes what is missing."""
    import dagster as dg

    from lgt_assets.definitions import defs
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Tables
    from lgt_assets.sensors import new_shards

    with open_instance() as instance:
        started = time.perf_counter()
        new_shards(dg.build_sensor_context(instance=instance), tables=Tables())
        looked = time.perf_counter()
        requested = dg.evaluate_automation_conditions(defs, instance).total_requested
        ended = time.perf_counter()
    assert requested == 0, f"automation asks for {requested} shards where all are made"
    return {"new_shards": round(looked - started, 3), "automation": round(ended - looked, 3)}
