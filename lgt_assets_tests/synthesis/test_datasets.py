"""Preference pairs, the supervised mix, and prompts for reinforcement learning."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.identity import digest, row_id
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.schemas import frame
from lgt_assets.synthesis.mix import build_mix, length_weighted
from lgt_assets.synthesis.pair import build_pairs, draw_pairs
from lgt_assets.synthesis.pair_lengths import pair_lengths
from lgt_assets.synthesis.rl import build_prompts, difficulty_of
from lgt_assets.synthesis.shown import show
from lgt_assets.synthesis.turns import Turn
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, pictures, profile, seed_questions

MADE = profile(distill={"samples": 4}, pairs={"per_question_and_kind": 2})
NONE_SHOWN = {"subgoal_setting": 0, "backtracking": 0, "verification": 0}


def made_cot(question: dict, sample: int, right: bool) -> dict:
    """A simple chain of a question as the profile shows it."""
    shown = show(question, MADE.distill.answer_formats)
    index = shown.right_index if right else (shown.right_index + 1) % 4
    return {
        "shard": SHARD, "question_id": question["question_id"], "image_id": question["image_id"], "sample_index": sample,
        "cot_id": row_id("distilled_cots", SHARD, question["question_id"], sample), "choices_shown": list(shown.choices),
        "right_index": shown.right_index, "answer_format": shown.answer_format, "answer_index": index, "is_correct": right,
        "thought": f"Look at {question['ordinal']}, try {sample}, it is ({'ABCD'[index]}).", "answer": f"({'ABCD'[index]})",
        "behaviours": NONE_SHOWN, "request_key": digest("cot", question["question_id"], sample),
    }  # fmt: skip


def made_trace(cot: dict, sample: int, right: bool) -> dict:
    """A continuation of a simple chain."""
    index = cot["right_index"] if right else (cot["right_index"] + 1) % 4
    added = f" let me see what the edge of it tells, {sample}. So it is ({'ABCD'[index]})."
    return {
        "shard": SHARD, "question_id": cot["question_id"], "image_id": cot["image_id"], "sample_index": sample,
        "trace_id": row_id("expanded_traces", SHARD, cot["cot_id"], sample), "cot_id": cot["cot_id"], "cue": "Wait,",
        "thought": f"{cot['thought']} Wait,{added}", "added_thought": added, "answer": f"({'ABCD'[index]})",
        "answer_index": index, "is_correct": right, "transition": "XO"[cot["is_correct"]] + "XO"[right],
        "behaviours": NONE_SHOWN, "judged_behaviours": None, "consistency": None, "votes": [],
        "request_key": digest("trace", cot["cot_id"], sample),
    }  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    """Questions whose samples are right twice of four; each chain is continued right twice and wrong twice."""
    questions = seed_questions(*pictures(count=1), [{}] * 3)
    cots = [made_cot(question, sample, sample < 2) for question in questions.to_dicts() for sample in range(4)]
    traces = [made_trace(cot, sample, sample % 2 == 0) for cot in cots for sample in range(4)]
    return (
        questions,
        frame("distilled_cots", [row | {"ordinal": ordinal} for ordinal, row in enumerate(cots)]),
        frame("expanded_traces", [row | {"ordinal": ordinal} for ordinal, row in enumerate(traces)]),
    )


def test_all_five_kinds_of_pairs_with_the_right_sides(tables):
    outcome = build_pairs(SHARD, *tables, profile=MADE, prompts=PROMPTS)
    rows = frame("preference_pairs", list(outcome.rows))
    validate("preference_pairs", rows)
    state = {row["cot_id"]: "O" if row["is_correct"] else "X" for row in tables[1].to_dicts()}
    state |= {row["trace_id"]: row["transition"] for row in tables[2].to_dicts()}
    assert {(row["kind"], state[row["chosen_id"]], state[row["rejected_id"]]) for row in outcome.rows} == {
        ("compactness", "O", "OO"), ("expansion_breaks", "O", "OX"), ("correction", "XO", "X"),
        ("correction_over_error", "XO", "XX"), ("right_over_wrong", "O", "X"),
    }  # fmt: skip
    assert Counter((row["question_id"], row["kind"]) for row in outcome.rows).most_common(1)[0][1] == 2
    for row in outcome.rows:
        assert row["chosen"] != row["rejected"] and row["chosen"].startswith("<think> ")
        assert (row["chosen_characters"], row["rejected_characters"]) == (len(row["chosen"]), len(row["rejected"]))
        if row["kind"] == "compactness":
            assert len(row["rejected"]) >= 1.5 * len(row["chosen"])


def test_a_barely_longer_trace_is_no_compactness_pair(tables):
    strict = profile(distill={"samples": 4}, pairs={"compactness_ratio": 50})
    outcome = build_pairs(SHARD, *tables, profile=strict, prompts=PROMPTS)
    assert {row["kind"] for row in outcome.rows} == {
        "expansion_breaks", "correction", "correction_over_error", "right_over_wrong",
    }  # fmt: skip


def test_an_expansion_is_paired_with_the_chain_that_it_continues(tables):
    chain_of = {row["trace_id"]: row["cot_id"] for row in tables[2].to_dicts()}
    for row in build_pairs(SHARD, *tables, profile=MADE, prompts=PROMPTS).rows:
        chains = {chain_of.get(row[side], row[side]) for side in ("chosen_id", "rejected_id")}
        assert len(chains) == (2 if row["kind"] == "right_over_wrong" else 1)


@pytest.mark.parametrize("build", [build_pairs, build_mix])
def test_datasets_do_not_depend_on_the_order_of_rows(tables, build):
    shuffled = [table.sample(fraction=1.0, shuffle=True, seed=3) for table in tables]
    made = [build(SHARD, *given, profile=MADE, prompts=PROMPTS) for given in (shuffled, tables)]
    assert list(made[0].rows) == list(made[1].rows) != []


def test_the_mix_holds_three_recipes_of_right_answers_only(tables):
    outcome = build_mix(SHARD, *tables, profile=MADE, prompts=PROMPTS)
    validate("sft_mix", frame("sft_mix", list(outcome.rows)))
    assert Counter(row["recipe"] for row in outcome.rows) == {"direct": 3, "simple": 6, "long": 6}
    right = {row["question_id"]: row["choices_shown"][row["right_index"]] for row in tables[1].to_dicts()}
    letters = {row["question_id"]: "ABCD"[row["right_index"]] for row in tables[1].to_dicts()}
    formats = {row["question_id"]: row["answer_format"] for row in tables[1].to_dicts()}
    for row in outcome.rows:
        user, assistant = row["messages"]
        assert user["role"] == "user" and assistant["role"] == "assistant"
        letter = f"({letters[row['question_id']]})"
        if row["recipe"] == "direct":
            text = f" {right[row['question_id']]}" if formats[row["question_id"]] == "letter_text" else ""
            assert assistant["content"] == f"<answer>{letter}{text}</answer>"
            assert "think" not in user["content"].lower() and row["origin_id"] == row["question_id"]
        else:
            assert assistant["content"].startswith("<think> ") and letter in assistant["content"].split("<answer>")[1]
            assert "<think>" in user["content"]


@given(st.lists(st.text(max_size=9), max_size=8, unique=True), st.integers(0, 9), st.integers(0, 99))
def test_sampling_by_length_is_without_replacement_and_blind_to_order(texts, count, seed):
    turns = [Turn(str(index), text, True) for index, text in enumerate(texts)]
    drawn = length_weighted(turns, count, random.Random(seed))
    assert len(drawn) == len(set(drawn)) == min(count, len(turns)) and set(drawn) <= set(turns)
    assert length_weighted(turns[::-1], count, random.Random(seed)) == drawn


def test_the_longest_is_drawn_with_weight_by_rank():
    turns = [Turn("a", "x" * 3, True), Turn("b", "x" * 2, True), Turn("c", "x", True)]
    generator = random.Random(0)
    counts = Counter(length_weighted(turns, 1, generator)[0].row_id for _ in range(7000))
    assert [round(counts[name] / 1000) for name in "abc"] == [4, 2, 1]


def test_turns_that_differ_in_whitespace_alone_are_no_pair():
    one, same, other = Turn("d.1", "a b", True), Turn("d.2", " a\u2003b\n", False), Turn("d.3", "a c", False)
    assert draw_pairs([(one, same), (one, other)], "q.1", "right_over_wrong", 2) == [(one, other)]


@pytest.mark.parametrize("question_id", [f"q.{number}" for number in range(8)])
def test_of_pairs_that_are_not_about_length_the_nearest_in_length_comes_first(question_id):
    rights = [Turn("d.short", "x" * 40, True), Turn("d.long", "y" * 100, True)]
    wrongs = [Turn("d.wrong", "z" * 95, False)]
    pairs = [(right, wrong) for right in rights for wrong in wrongs]
    assert draw_pairs(pairs, question_id, "right_over_wrong", 1) == [(rights[1], wrongs[0])]


@given(st.lists(st.tuples(st.text("ab ", min_size=1, max_size=9), st.text("ab ", min_size=1, max_size=9)), max_size=9),
       st.integers(1, 5))  # fmt: skip
def test_drawn_pairs_are_some_of_those_given_and_the_order_given_does_not_matter(texts, count):
    pairs = [(Turn(f"a{n}", left, True), Turn(f"b{n}", right, False)) for n, (left, right) in enumerate(texts)]
    drawn = draw_pairs(pairs, "q", "correction", count)
    assert set(drawn) <= set(pairs) and len(drawn) <= count
    assert all("".join(chosen.text.split()) != "".join(rejected.text.split()) for chosen, rejected in drawn)
    assert draw_pairs(pairs[::-1], "q", "correction", count) == drawn


def test_lengths_are_told_by_kind(tables):
    pairs = frame("preference_pairs", list(build_pairs(SHARD, *tables, profile=MADE, prompts=PROMPTS).rows))
    told = {row["kind"]: row for row in pair_lengths(pairs.lazy())}
    assert list(told) == [
        "compactness", "expansion_breaks", "correction", "correction_over_error", "right_over_wrong",
    ]  # fmt: skip
    assert sum(row["pairs"] for row in told.values()) == pairs.height
    assert told["compactness"]["length_ratio"] <= 1 / 1.5 and told["compactness"]["chosen_longer"] == 0
    assert told["correction"]["chosen_longer"] == 1
    assert told["right_over_wrong"]["length_ratio"] == pytest.approx(1, abs=0.05)
    own = pairs.filter(pairs["kind"] == "correction")
    assert told["correction"]["chosen_characters"] == own["chosen"].str.len_chars().mean()


def shown_otherwise(tables):
    """The tables, where a right and a wrong chain of each question saw the choices in another order."""
    questions, cots, traces = tables
    rows = [
        row | {"choices_shown": row["choices_shown"][::-1], "right_index": 3 - row["right_index"]}
        if row["sample_index"] in (0, 3) else row
        for row in cots.to_dicts()
    ]  # fmt: skip
    return questions, frame("distilled_cots", rows), traces


@pytest.mark.parametrize("build", [build_pairs, build_mix])
def test_only_chains_that_saw_the_question_as_the_prompt_shows_it_are_used(tables, build):
    planted = shown_otherwise(tables)
    moved = {row["cot_id"] for row in planted[1].to_dicts() if row["sample_index"] in (0, 3)}
    moved_traces = {row["trace_id"] for row in tables[2].to_dicts() if row["cot_id"] in moved}
    clean, outcome = (build(SHARD, *given, profile=MADE, prompts=PROMPTS) for given in (tables, planted))
    columns = [name for name in ("chosen_id", "rejected_id", "origin_id") if name in next(iter(outcome.rows))]
    used, used_before = ({row[name] for row in made.rows for name in columns} for made in (outcome, clean))
    assert used_before & (moved | moved_traces)
    assert used and not used & (moved | moved_traces)
    assert {(r["reason"], r["parent_id"]) for r in outcome.rejections} == {
        ("shown_differently", name) for name in moved
    }
    assert not list(clean.rejections)


def test_a_wrong_answer_that_claims_to_be_right_is_not_taught(tables):
    questions, cots, traces = tables
    lying = frame("distilled_cots", [row | {"is_correct": True} for row in cots.to_dicts()])
    lying_traces = frame(
        "expanded_traces", [row | {"is_correct": True, "transition": "OO"} for row in traces.to_dicts()]
    )
    honest = build_mix(SHARD, *tables, profile=MADE, prompts=PROMPTS)
    assert list(build_mix(SHARD, questions, lying, lying_traces, profile=MADE, prompts=PROMPTS).rows) == list(
        honest.rows
    )


def test_prompts_carry_letter_text_and_pass_rate(tables):
    questions, cots, _ = tables
    outcome = build_prompts(SHARD, questions, cots, profile=MADE, prompts=PROMPTS)
    rows = frame("rl_prompts", list(outcome.rows))
    validate("rl_prompts", rows)
    assert rows.group_by("question_id").agg("form")["form"].to_list() == [["choice", "open"]] * 3
    for row in outcome.rows:
        assert (row["pass_rate"], row["samples"], row["difficulty"], row["answer_text"]) == (0.5, 4, "medium", "red")
        assert (row["pass_rate_low"], row["pass_rate_high"]) == pytest.approx((0.150, 0.850), abs=1e-3)
        if row["form"] == "choice":
            assert row["choices_shown"]["ABCD".index(row["ground_truth"])] == "red" and row["verification"] == "letter"
        else:
            assert (row["choices_shown"], row["ground_truth"], row["verification"]) == ([], "red", "exact_text")
            assert not any(choice in row["messages"][-1]["content"] for choice in ("green", "blue", "(A)"))


def test_open_prompts_can_be_switched_off_and_need_a_template(tables, tmp_path):
    questions, cots, _ = tables
    switched_off = profile(distill={"samples": 4}, rl={"open_form": False})
    (tmp_path / "vlm.jinja").write_text("{{ question }}")
    for settings, prompts in ((switched_off, PROMPTS), (MADE, PromptSet(tmp_path))):
        outcome = build_prompts(SHARD, questions, cots, profile=settings, prompts=prompts)
        assert [row["form"] for row in outcome.rows] == ["choice"] * 3


def test_a_question_that_leans_on_its_choices_has_no_open_prompt(tables):
    questions, cots, _ = tables
    rows = questions.to_dicts()
    planted = frame("seed_questions", [rows[0] | {"question": "Which of the following is thing 0?"}, *rows[1:]])
    outcome = build_prompts(SHARD, planted, cots, profile=MADE, prompts=PROMPTS)
    forms = [(row["question_id"], row["form"]) for row in outcome.rows]
    own, *twins = [row["question_id"] for row in rows]
    assert forms == [(own, "choice"), *((twin, form) for twin in twins for form in ("choice", "open"))]


def test_a_question_without_a_parsed_sample_is_rejected(tables):
    questions, cots, _ = tables
    silent = questions["question_id"][1]
    kept = cots.filter(cots["question_id"] != silent)
    outcome = build_prompts(SHARD, questions, kept, profile=MADE, prompts=PROMPTS)
    assert {row["question_id"] for row in outcome.rows} == set(questions["question_id"]) - {silent}
    assert [(r["reason"], r["parent_id"]) for r in outcome.rejections] == [("no_samples", silent)]


def test_difficulty_bands():
    assert [difficulty_of(right, 10) for right in range(11)] == [
        "unsolved", "hard", "hard", "hard", "medium", "medium", "medium", "easy", "easy", "easy", "solved",
    ]  # fmt: skip
    assert [difficulty_of(right, 4) for right in range(5)] == ["unsolved", "hard", "medium", "easy", "solved"]
    assert [difficulty_of(right, 3) for right in range(4)] == ["hard", "medium", "easy", "easy"]
    with pytest.raises(ValueError, match="at least one sample"):
        difficulty_of(0, 0)
