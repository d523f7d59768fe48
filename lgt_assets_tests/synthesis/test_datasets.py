"""Preference pairs, the supervised mix, and prompts for reinforcement learning."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.schemas import frame
from lgt_assets.synthesis.distill import build_cots, plan_cots
from lgt_assets.synthesis.expand import build_expansions, plan_expansions
from lgt_assets.synthesis.mix import build_mix, length_weighted
from lgt_assets.synthesis.pair import build_pairs
from lgt_assets.synthesis.rl import build_prompts, difficulty_of, wilson_interval
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, answer, pictures, profile, seed_questions, written_trace

MADE = profile(
    distill={"samples": 4}, expand={"chains_per_question": 2, "samples": 4}, pairs={"per_question_and_kind": 2}
)


@pytest.fixture(scope="module")
def tables():
    """Questions whose samples are right twice of four; each chain is continued right twice and wrong twice."""
    images, objects = pictures(count=1)
    questions = seed_questions(images, objects, [{}] * 3)

    def chain(item, right):
        index = item.context["right_index"] if right else (item.context["right_index"] + 1) % 4
        return index, f"Look at {item.context['position']}, it is ({'ABCD'[index]})."

    def simple(item):
        index, thought = chain(item, item.context["sample_index"] < 2)
        return written_trace(thought, index)

    def longer(item):
        index, thought = chain(item, item.context["sample_index"] % 2 == 0)
        return f" let me see what the edge of it tells. {thought} </think><answer>({'ABCD'[index]})</answer>"

    cots = build_cots(SHARD, answer(plan_cots(images, questions, profile=MADE, prompts=PROMPTS), simple))
    cots = frame("distilled_cots", cots.rows)
    planned = plan_expansions(images, objects, questions, cots, profile=MADE, prompts=PROMPTS)
    traces = build_expansions(SHARD, answer(planned, longer), profile=MADE)
    return questions, cots, frame("expanded_traces", traces.rows)


def test_all_five_kinds_of_pairs_with_the_right_sides(tables):
    outcome = build_pairs(SHARD, *tables, profile=MADE, prompts=PROMPTS)
    rows = frame("preference_pairs", outcome.rows)
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
    assert build(SHARD, *shuffled, profile=MADE, prompts=PROMPTS) == build(
        SHARD, *tables, profile=MADE, prompts=PROMPTS
    )


def test_the_mix_holds_three_recipes_of_right_answers_only(tables):
    outcome = build_mix(SHARD, *tables, profile=MADE, prompts=PROMPTS)
    validate("sft_mix", frame("sft_mix", outcome.rows))
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
    turns = [(str(index), text) for index, text in enumerate(texts)]
    drawn = length_weighted(turns, count, random.Random(seed))
    assert len(drawn) == len(set(drawn)) == min(count, len(turns)) and set(drawn) <= set(turns)
    assert length_weighted(turns[::-1], count, random.Random(seed)) == drawn


def test_the_longest_is_drawn_with_weight_by_rank():
    turns = [("a", "x" * 3), ("b", "x" * 2), ("c", "x")]
    generator = random.Random(0)
    counts = Counter(length_weighted(turns, 1, generator)[0][0] for _ in range(7000))
    assert [round(counts[name] / 1000) for name in "abc"] == [4, 2, 1]


def test_prompts_carry_letter_text_and_pass_rate(tables):
    questions, cots, _ = tables
    outcome = build_prompts(SHARD, questions, cots, profile=MADE, prompts=PROMPTS)
    validate("rl_prompts", frame("rl_prompts", outcome.rows))
    for row in outcome.rows:
        assert (row["pass_rate"], row["samples"], row["difficulty"], row["answer_text"]) == (0.5, 4, "medium", "red")
        assert row["choices_shown"]["ABCD".index(row["ground_truth"])] == "red"


def test_a_question_without_a_parsed_sample_is_rejected(tables):
    questions, cots, _ = tables
    silent = questions["question_id"][1]
    kept = cots.filter(cots["question_id"] != silent)
    outcome = build_prompts(SHARD, questions, kept, profile=MADE, prompts=PROMPTS)
    assert len(outcome.rows) == 2
    assert [(r["reason"], r["parent_id"]) for r in outcome.rejections] == [("no_samples", silent)]


def test_difficulty_bands():
    rates = (0, 0.1, 1 / 3, 0.5, 2 / 3, 0.9, 1)
    assert [difficulty_of(rate) for rate in rates] == [
        "unsolved", "hard", "medium", "medium", "easy", "easy", "solved",
    ]  # fmt: skip


def test_wilson_interval_is_the_known_one():
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="between 0 and samples"):
        wilson_interval(3, 2)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(case):
    right, samples = case
    low, high = wilson_interval(right, samples)
    assert 0 <= low <= right / samples + 1e-9 and right / samples - 1e-9 <= high <= 1
