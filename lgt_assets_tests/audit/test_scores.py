"""Verdicts in, error rates out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.audit.scores import audit_summary, keep_verdicts
from lgt_assets.audit.verdicts import Verdict, read_verdicts
from lgt_assets.errors import NotFoundError, ValidationError
from lgt_assets.report import build_report
from lgt_assets.schemas import frame
from lgt_assets.validation import validate
from lgt_assets_tests.made_tables import made_id
from lgt_assets_tests.rows import SHARD

COTS = [made_id("distilled_cots", number) for number in range(2)]


def verdict(row_id: str = COTS[0], table: str = "distilled_cots", **changes: object) -> dict:
    return {
        "row_id": row_id, "table": table, "auditor": "Ada", "verdict": "right", "error_kind": None, "note": "",
        "sample": "0123456789abcdef", "judged_at": "2026-11-22T20:00:00.000Z",
    } | changes  # fmt: skip


def write(path, *rows) -> None:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )


@pytest.fixture
def file(tmp_path):
    return tmp_path / "verdicts.jsonl"


def test_verdicts_go_to_the_table_and_the_report(store, file):
    write(file, verdict(), "", verdict(COTS[1], verdict="wrong", error_kind="logic", note="[bold] <b>"))
    audits = keep_verdicts(store, file)
    validate("audits", audits)
    assert audits["error_kind"].to_list() in ([None, "logic"], ["logic", None])
    summary = build_report(store)["audits"]["distilled_cots"]
    assert (summary["rows"], summary["wrong"], summary["error_rate"]) == (2, 1, 0.5)
    assert (summary["low"], summary["high"]) == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert summary["kinds"]["logic"]["rows"] == 1 and set(summary["kinds"]) == {"logic"}


def test_a_later_verdict_of_the_same_auditor_replaces_the_earlier(store, file):
    write(file, verdict(), verdict(auditor="Bob"))
    keep_verdicts(store, file)
    write(file, verdict(verdict="wrong", error_kind="leak"))
    audits = keep_verdicts(store, file)
    assert sorted(audits.select("auditor", "verdict").rows()) == [("Ada", "wrong"), ("Bob", "right")]
    version = store.version("audits")
    assert keep_verdicts(store, file).equals(audits) and store.version("audits") == version


def test_verdicts_on_other_tables_stay(store, file):
    write(file, verdict())
    keep_verdicts(store, file)
    write(file, verdict(made_id("expanded_traces"), "expanded_traces"))
    assert set(audit_summary(keep_verdicts(store, file))) == {"distilled_cots", "expanded_traces"}


BAD = [
    ("not json", "line 2, Invalid JSON"),
    ('"text"', "line 2, Input should be an object"),
    (verdict(verdict="maybe"), "line 2, verdict: Input should be 'right' or 'wrong'"),
    (verdict(error_kind="typo"), "line 2, error_kind: Input should be 'perception'"),
    (verdict(verdict="wrong"), "line 2, error_kind: is missing"),
    (verdict(error_kind="logic"), "line 2, error_kind: a right row has none"),
    (verdict(auditor=" "), "line 2, auditor: is empty"),
    (verdict(extra=1), "line 2, extra: Extra inputs"),
    ({key: value for key, value in verdict().items() if key != "row_id"}, "line 2, row_id: Field required"),
    (verdict("nonsense"), "line 2, row_id: 'nonsense' is not a row id"),
    (verdict(COTS[0], "expanded_traces"), "line 2, row_id: .* is a row of distilled_cots"),
    (verdict(table="images"), "line 2, table: Input should be"),
    (verdict(made_id("distilled_cots", 99)), "line 2, row_id: distilled_cots has no row"),
    ('{"row_id": "\\ud800"}', "line 2"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "words"), BAD)
def test_a_bad_line_is_named_by_file_line_and_field_and_nothing_is_kept(store, file, bad, words):
    write(file, verdict(), bad)
    with pytest.raises(ValidationError, match=words) as error:
        keep_verdicts(store, file)
    assert str(file) in str(error.value)
    assert store.read("audits").height == 0


def test_a_missing_file_is_named(store, file):
    with pytest.raises(NotFoundError, match="give the file"):
        keep_verdicts(store, file)


@given(st.lists(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: json.dumps(text).encode()), max_size=5))
def test_any_bytes_are_read_or_refused(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("any") / "verdicts.jsonl"
    path.write_bytes(b"\n".join(lines))
    try:
        assert all(isinstance(found, Verdict) for _, found in read_verdicts(path))
    except ValidationError as error:
        assert str(path) in str(error)


def audits(*rows: tuple[str, str, str | None]) -> object:
    made = [
        verdict(row_id, auditor=auditor, verdict="wrong" if kind else "right", error_kind=kind)
        | {"shard": SHARD, "ordinal": ordinal}
        for ordinal, (row_id, auditor, kind) in enumerate(rows)
    ]
    return frame("audits", made)


def test_a_row_that_several_judged_counts_once_and_half_is_wrong():
    summary = audit_summary(
        audits(("1", "Ada", "logic"), ("1", "Bob", None), ("2", "Ada", None), ("2", "Bob", "leak"), ("2", "Eve", None),
               ("3", "Ada", None), ("4", "Ada", "leak"), ("4", "Bob", "logic"))
    )["distilled_cots"]  # fmt: skip
    assert (summary["rows"], summary["auditors"], summary["wrong"], summary["error_rate"]) == (4, 3, 2, 0.5)
    assert {kind: counts["rows"] for kind, counts in summary["kinds"].items()} == {"logic": 2, "leak": 1}
    assert summary["agreement"] == pytest.approx(1 / 3)


def test_one_auditor_alone_has_nobody_to_agree_with():
    assert audit_summary(audits(("1", "Ada", None)))["distilled_cots"]["agreement"] is None
    assert audit_summary(audits()) == {}
