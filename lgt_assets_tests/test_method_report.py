"""The method in numbers: from made tables, and from frames whose numbers are known."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import SettingsError
from lgt_assets.method_report import build_method_report
from lgt_assets.method_tables import BEGIN, END, SECTIONS, markdown, put_into, write_into
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.method_measures import (
    behaviour_agreement,
    behaviour_rates,
    check_effects,
    cohens_kappa,
    counted,
    pair_statistics,
    pass_rates,
    rejection_rates,
    transitions,
)
from lgt_assets_tests.made_tables import rejection_row, write_made_tables


def _rejections(*rows: tuple[str, str, dict], parent_id: str | None = None) -> pl.DataFrame:
    made = [
        rejection_row(asset, reason, n, parent_id=parent_id)
        | {"measures": [{"name": name, "value": value} for name, value in measures.items()]}
        for n, (asset, reason, measures) in enumerate(rows)
    ]
    return frame("rejections", made)


def test_a_rejection_rate_is_of_all_that_was_judged():
    rejections = _rejections(*[("distilled_cots", reason, {}) for reason in ("cut_off", "repeats", "repeats")])
    rows = rejection_rates({"seed_questions": 4, "distilled_cots": 7, "sft_mix": 0}, rejections)
    assert [(row["stage"], row["reason"], row["rejected"], row["rate"]) for row in rows] == [
        ("seed_questions", None, 0, 0.0), ("distilled_cots", "repeats", 2, 0.2), ("distilled_cots", "cut_off", 1, 0.1),
        ("sft_mix", None, 0, None),
    ]  # fmt: skip


def test_before_is_kept_and_rejected_and_after_is_kept():
    accepted = pl.DataFrame(
        {"support": [1.0, 1.0], "necessity": [0.75, None], "blindness": [0.0, 0.5], "hardness": [None, None]}
    )
    rejections = _rejections(
        ("composed_questions", "not_supported", {"support": 0.25}),
        ("composed_questions", "not_necessary", {"support": 0.75, "necessity": 0.25}),
        ("seed_questions", "answerable_blind", {"blindness": 1.0}),
        ("composed_questions", "no_answer", {}),
    )
    rows = {row["measure"]: row for row in check_effects("composed_questions", accepted, rejections)}
    assert (rows["support"]["before"], rows["support"]["before_n"], rows["support"]["after"]) == (0.75, 4, 1.0)
    assert (rows["necessity"]["before"], rows["necessity"]["after"], rows["necessity"]["after_n"]) == (0.5, 0.75, 1)
    assert (rows["blindness"]["before"], rows["blindness"]["before_n"]) == (0.25, 2)
    assert (rows["hardness"]["before"], rows["hardness"]["before_n"]) == (None, 0)


def test_composed_questions_are_held_against_their_parents():
    composed = pl.DataFrame({
        "question_id": ["c1", "c2"], "parent_question_ids": [["q1", "q2"], ["q2", "q3"]], "hops": [2, 2],
        "composition_kind": ["bridge", "compare"],
    })  # fmt: skip
    passed = {"c1": [1, 0], "c2": [0, 0], "q1": [1, 1], "q2": [1, 1], "q3": [1]}
    cots = pl.DataFrame(
        [{"question_id": q, "is_correct": bool(right)} for q, rights in passed.items() for right in rights]
    )
    rejections = _rejections(("distilled_cots", "cut_off", {}), ("seed_questions", "no_answer", {}), parent_id="q3")
    rows = pass_rates(composed, cots, rejections)
    assert [(row["kind"], row["questions"]) for row in rows] == [(None, 2), ("bridge", 1), ("compare", 1)]
    assert (rows[0]["own"]["right"], rows[0]["own"]["samples"]) == (1, 4)
    assert (rows[0]["parents"]["right"], rows[0]["parents"]["samples"]) == (5, 6)
    assert (rows[2]["parents"]["right"], rows[2]["parents"]["samples"]) == (3, 4)
    assert rows[1]["own"]["low"] < 0.5 < rows[1]["own"]["high"]


def test_transitions_are_shares_of_all_traces():
    rows = transitions(pl.DataFrame({"transition": ["OO", "OO", "XO", "XX"]}))
    assert [(row["transition"], row["traces"], row["share"]["rate"]) for row in rows] == [
        ("OO", 2, 0.5), ("XO", 1, 0.25), ("OX", 0, 0.0), ("XX", 1, 0.25),
    ]  # fmt: skip


def test_behaviours_are_shares_of_traces_and_means_of_counts():
    rows = behaviour_rates("added", counted(["Let me check. Let me look again.", "It is red."]))
    by_name = {row["behaviour"]: (row["shown"]["right"], row["shown"]["rate"], row["mean_count"]) for row in rows}
    assert by_name == {"subgoal_setting": (0, 0.0, 0.0), "backtracking": (0, 0.0, 0.0), "verification": (1, 0.5, 1.0)}


def test_agreement_is_over_the_judgments_that_were_read():
    def trace(count, said):
        judged = {"request_key": "k", "subgoal_setting": said, "backtracking": said, "verification": said}
        counts = {"subgoal_setting": count, "backtracking": 0, "verification": count}
        return {"behaviours": counts, "judged_behaviours": None if said == "unjudged" else judged}

    rows = [trace(2, True), trace(1, True), trace(0, False), trace(0, True), trace(1, None), trace(5, "unjudged")]
    schema = {name: frame("expanded_traces", []).schema[name] for name in ("behaviours", "judged_behaviours")}
    by_name = {row["behaviour"]: row for row in behaviour_agreement(pl.DataFrame(rows, schema=schema))}
    verification = by_name["verification"]
    assert (verification["n"], verification["unread"], verification["agreement"]) == (4, 1, 0.75)
    assert verification["kappa"] == pytest.approx(0.5)
    assert (by_name["backtracking"]["agreement"], by_name["backtracking"]["kappa"]) == (0.25, 0.0)


@pytest.mark.parametrize(("first", "second", "kappa"), [
    ([True, False], [True, False], 1.0), ([True, False], [False, True], -1.0), ([True, True], [True, True], None), ([], [], None),
    ([True] * 5 + [False] * 5, [True] * 4 + [False] * 5 + [True], 0.6),
])  # fmt: skip
def test_kappa(first, second, kappa):
    assert cohens_kappa(first, second) == (None if kappa is None else pytest.approx(kappa))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_kappa_lies_between_minus_one_and_one(pairs):
    kappa = cohens_kappa([a for a, _ in pairs], [b for _, b in pairs])
    assert kappa is None or -1 - 1e-9 <= kappa <= 1 + 1e-9


def test_pairs_have_mean_and_median_of_the_ratio():
    pairs = pl.DataFrame(
        {"kind": ["correction"] * 3, "chosen_characters": [10, 20, 90], "rejected_characters": [10, 10, 10]}
    )
    (row,) = pair_statistics(pairs)
    assert (row["pairs"], row["mean_ratio"], row["length_ratio"]) == (3, 4.0, 2.0)


def test_the_report_of_made_tables_is_json_and_markdown(tmp_path):
    report = build_method_report(write_made_tables(tmp_path), judge=lambda candidate: True)
    assert set(report) == set(SECTIONS) and json.loads(json.dumps(report)) == report
    cut = next(row for row in report["rejections"] if row["reason"] == "cut_off")
    assert (cut["kept"], cut["rejected"], cut["rate"]) == (2, 2, 0.4)
    assert {row["accuracy"] for row in report["key_accuracy"]} == {1.0}
    text = markdown(report)
    assert all(f"### {title}" in text for title, _, _ in SECTIONS.values())
    assert "| distilled_cots | 2 | cut_off | 2 | 40.0 % |" in text


def test_diversity_is_told_at_equal_sizes_by_what_the_questions_are_about(tmp_path):
    store = write_made_tables(tmp_path)
    seed = store.read("seed_questions").row(0, named=True)
    rows = [
        seed | {
            "ordinal": n, "question_id": f"{seed['question_id'][:-4]}{n:04d}", "focus": "scene" if n % 2 else "one_object",
            "question": "What is it?" if n % 2 else f"What is beside ball {n}?",
        }
        for n in range(120)
    ]  # fmt: skip
    store.replace("seed_questions", frame("seed_questions", rows), shard=seed["shard"])
    told = {(row["questions_about"], row["questions"]): row for row in build_method_report(store)["diversity"]}
    assert set(told) == {("boxed objects", 50), ("whole scene", 50)}
    assert told["boxed objects", 50]["distinct_3"] > told["whole scene", 50]["distinct_3"]


def test_nothing_stored_is_not_measured_and_no_error(tmp_path):
    report = build_method_report(DeltaStore(str(tmp_path)))
    assert all(row["rate"] is None for row in report["rejections"])
    assert markdown(report).count("Not measured.") == 3


def test_a_page_takes_the_tables_between_its_markers(tmp_path):
    page = f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n"
    once = put_into(page, "new\n", where="page")
    assert once == page.replace("old", "new") and put_into(once, "new", where="page") == once
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    write_into(path, "new")
    assert path.read_text(encoding="utf-8") == once


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_page_without_markers_is_refused(tmp_path, page):
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    with pytest.raises(SettingsError, match="page.md"):
        write_into(path, "new")
    assert path.read_text(encoding="utf-8") == page
    with pytest.raises(SettingsError, match="absent.md"):
        write_into(tmp_path / "absent.md", "new")
