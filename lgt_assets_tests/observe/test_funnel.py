"""Counts and shares by reason, for eyes and for plots."""

from lgt_assets.observe.funnel import MOST_REASONS, funnel_metadata
from lgt_assets_tests.made_tables import funnel_row


def test_reasons_stand_with_counts_and_shares_from_the_most_frequent_down() -> None:
    row = funnel_row("distilled_cots", asked=8, parsed=6, accepted=5, rejected=3)
    found = funnel_metadata(row, {"no_answer": 1, "cut_off": 2})
    assert found["funnel"].value.splitlines()[2:] == [
        "| asked | 8 |  |",
        "| gave something to judge | 6 | 75.0% |",
        "| **accepted** | 5 | 62.5% |",
        "| rejected: cut&#95;off | 2 | 25.0% |",
        "| rejected: no&#95;answer | 1 | 12.5% |",
    ]
    assert {name: value for name, value in found.items() if name != "funnel"} == {
        "rejected/cut_off": 2, "rejected/no_answer": 1, "acceptance_rate": 0.625,
    }  # fmt: skip


def test_rates_of_what_was_asked() -> None:
    usage = {"requests_sent": 30, "requests_reused": 10, "completion_tokens": 900}
    found = funnel_metadata(funnel_row("distilled_cots", accepted=1, **usage) | {"device_seconds": 3.0}, {})
    assert (found["reused_share"], found["tokens_per_device_second"]) == (0.25, 300.0)


def test_a_table_made_of_rows_alone_was_not_asked() -> None:
    found = funnel_metadata(funnel_row("sft_mix", accepted=4), {})
    assert found["funnel"].value.splitlines()[2:] == ["| **accepted** | 4 | 100.0% |"]
    assert set(found) == {"funnel", "acceptance_rate"}


def test_nothing_at_all_has_no_shares() -> None:
    assert set(funnel_metadata(funnel_row("sft_mix"), {})) == {"funnel"}


def test_reasons_without_end_are_cut() -> None:
    reasons = {f"reason_{n:03d}{'x' * 500}": 100 - n for n in range(100)}
    found = funnel_metadata(funnel_row("images", rejected=sum(reasons.values())), reasons)
    assert sum(name.startswith("rejected/") for name in found) == MOST_REASONS
    rest = sum(100 - n for n in range(MOST_REASONS, 100))
    assert f"rejected: {100 - MOST_REASONS} further reasons | {rest:,}" in found["funnel"].value
    assert all(len(name) < 80 for name in found)
