"""The funnel."""

from pathlib import Path

from lgt_assets.report import REPORTED_TABLES, build_report, report_rows, requests_between
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import funnel_row, write_made_tables


def test_nothing_stored_reports_ten_tables_of_nothing(tmp_path: Path) -> None:
    report = build_report(DeltaStore(str(tmp_path)))
    empty = {"rows": 0, "asked": 0, "parsed": 0, "rejected": {}}
    assert report == {"tables": dict.fromkeys(REPORTED_TABLES, empty)}
    assert len(REPORTED_TABLES) == 10


def test_rows_from_tables_asked_from_the_funnel_reasons_from_rejections(tmp_path: Path) -> None:
    tables = build_report(write_made_tables(tmp_path))["tables"]
    assert tables["distilled_cots"] == {"rows": 2, "asked": 5, "parsed": 3, "rejected": {"cut_off": 2, "no_answer": 1}}
    assert tables["images"] == {"rows": 1, "asked": 3, "parsed": 1, "rejected": {}}
    assert tables["release"] == {"rows": 0, "asked": 0, "parsed": 0, "rejected": {}}


def test_asked_is_summed_over_shards(tmp_path: Path) -> None:
    store = write_made_tables(tmp_path)
    other = funnel_row("distilled_cots", shard="made-00001", asked=10, parsed=9)
    store.replace("funnel", frame("funnel", [other]), shard="made-00001", asset="distilled_cots")
    table = build_report(store)["tables"]["distilled_cots"]
    assert (table["asked"], table["parsed"]) == (15, 12)


def test_only_slices_made_in_between_count() -> None:
    before = frame(
        "funnel", [funnel_row("sft_mix", seconds=1.5), funnel_row("distilled_cots", requests_sent=7, seconds=2.5)]
    )
    again = funnel_row("distilled_cots", requests_reused=7, seconds=0.5)
    new = funnel_row("distilled_cots", shard="made-00001", requests_sent=4, seconds=2.5)
    elsewhere = funnel_row("distilled_cots", shard="other-00000", requests_sent=100)
    after = frame("funnel", [funnel_row("sft_mix", seconds=1.5), again, new, elsewhere])
    made = requests_between(before, after, assets=["sft_mix", "distilled_cots"], shards=["made-00000", "made-00001"])
    assert made == {"requests_sent": 4, "requests_reused": 7}


def test_nothing_made_is_no_request() -> None:
    rows = frame("funnel", [funnel_row("distilled_cots", requests_sent=7)])
    made = requests_between(rows, rows, assets=["distilled_cots"], shards=["made-00000"])
    assert made == {"requests_sent": 0, "requests_reused": 0}


def test_the_most_frequent_reason_comes_first(tmp_path: Path) -> None:
    rows = {row[0]: row for row in report_rows(build_report(write_made_tables(tmp_path)))}
    assert rows["distilled_cots"] == ("distilled_cots", "2", "5", "3", "cut_off 2, no_answer 1")
    assert rows["rl_prompts"] == ("rl_prompts", "1", "", "", "")
