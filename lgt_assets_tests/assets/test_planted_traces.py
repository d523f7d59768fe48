"""Faults in simple and long traces, planted on prompts of the embedded profile: each is caught, its clean twin is kept."""

import pytest

from lgt_assets_tests.planted import Bed

LETTERS = "ABCD"
# Name of the filter's reason: what stands after the answer is known; {own} and {other} are choices with their letters.
SIMPLE = {
    "cut_off": ("<think> I see it well. {own}", "<think> I see it well. {own} </think><answer>{letter}</answer>"),
    "no_answer": ("<think> I see it well. </think> It is nice.", "<think> I see it well. </think> {letter}"),
    "answer_not_a_choice": (
        "<think> I see it well. </think><answer>mauve</answer>", "<think> I see mauve as well. </think><answer>{letter}</answer>",
    ),
    "several_answers": (
        "<think> I see it well. </think><answer>(A) or (B)</answer>", "<think> (A) or (B)? </think><answer>{letter}</answer>",
    ),
    "wrong_language": (
        "<think> I see 红色的球 here. {own} </think><answer>{letter}</answer>",
        "<think> I see a café here. {own} </think><answer>{letter}</answer>",
    ),
    "repeats": (
        "<think> I look and look again and look again and look again and look again and look. </think><answer>{letter}</answer>",
        "<think> I look and look again, and then once more. </think><answer>{letter}</answer>",
    ),
    "inconsistent_answer": (
        "<think> I see it well. {other} </think><answer>{letter}</answer>",
        "<think> I see it well. {other} No, look again. {own} </think><answer>{letter}</answer>",
    ),
}  # fmt: skip
LONG = {
    "cut_off": (
        " the left edge deserves another look. {own}",
        " the left edge deserves another look. {own} </think><answer>{letter}</answer>",
    ),
    "answer_not_a_choice": (
        " the left edge deserves another look. </think><answer>mauve</answer>",
        " the left edge looks mauve. {own} </think><answer>{letter}</answer>",
    ),
    "several_answers": (
        " the left edge deserves another look. </think><answer>(A) or (B)</answer>",
        " is it (A) or (B)? {own} </think><answer>{letter}</answer>",
    ),
    "added_too_short": (
        " no. </think><answer>{letter}</answer>", " no, the edge looks different. {own} </think><answer>{letter}</answer>",
    ),
    "wrong_language": (
        " let me look: 左边的边缘. {own} </think><answer>{letter}</answer>",
        " let me look: the naïve edge. {own} </think><answer>{letter}</answer>",
    ),
    "leaks_source": (
        " according to the caption it differs. {own} </think><answer>{letter}</answer>",
        " its texture differs a little. {own} </think><answer>{letter}</answer>",
    ),
    "repeats": (
        " let me look. Let me look. Let me look. Let me look. {own} </think><answer>{letter}</answer>",
        " let me look. Then let me look once more. {own} </think><answer>{letter}</answer>",
    ),
    "inconsistent_answer": (
        " the left edge deserves another look. {other} </think><answer>{letter}</answer>",
        " {other} No, the edge is another one. {own} </think><answer>{letter}</answer>",
    ),
}  # fmt: skip


def _written(form: str, choices: list[str], index: int) -> str:
    """``form`` with the choice at ``index`` as its own answer."""

    def stated(of: int) -> str:
        return f"Answer: {choices[of]} ({LETTERS[of]})."

    return form.format(own=stated(index), other=stated((index + 1) % len(choices)), letter=f"({LETTERS[index]})")


def _planted(
    forms: dict, rows: list[dict], choices: dict[str, list[str]]
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Texts by request key, and for each reason the keys of the fault and of its twin; every row is used once."""
    assert len(rows) >= 2 * len(forms)
    texts, keys, free = {}, {}, iter(rows)
    for reason, pair in forms.items():
        own = [next(free), next(free)]
        for row, form in zip(own, pair, strict=True):
            texts[row["request_key"]] = _written(form, choices[row["cot_id"]], row["answer_index"])
        keys[reason] = tuple(row["request_key"] for row in own)
    return texts, keys


@pytest.fixture(scope="module")
def shown(bed: Bed) -> dict[str, list[str]]:
    return {row["cot_id"]: row["choices_shown"] for row in bed.grow("expanded_traces").rows("distilled_cots")}


@pytest.fixture(scope="module")
def simple(bed: Bed, shown):
    texts, keys = _planted(SIMPLE, bed.rows("distilled_cots"), shown)
    return bed.plant("distilled_cots", texts), keys


@pytest.fixture(scope="module")
def long(bed: Bed, shown):
    texts, keys = _planted(LONG, bed.rows("expanded_traces"), shown)
    return bed.plant("expanded_traces", texts, expand={"consistency_votes": 0, "behaviour_sample": 0}), keys


@pytest.mark.parametrize("reason", SIMPLE)
def test_a_fault_in_a_simple_trace_is_caught_and_its_twin_is_kept(simple, reason):
    made, keys = simple
    fault, twin = keys[reason]
    assert made.reasons_of(fault) == [reason] and made.kept_from(fault) == []
    assert made.reasons_of(twin) == [] and len(made.kept_from(twin)) == 1
    assert made.requests_sent == 0


@pytest.mark.parametrize("reason", LONG)
def test_a_fault_in_a_long_trace_is_caught_and_its_twin_is_kept(long, reason):
    made, keys = long
    fault, twin = keys[reason]
    assert made.reasons_of(fault) == [reason] and made.kept_from(fault) == []
    assert made.reasons_of(twin) == [] and len(made.kept_from(twin)) == 1


def test_every_trace_keeps_the_simple_text_exactly(bed: Bed, long):
    simple = {row["cot_id"]: row["thought"] for row in bed.rows("distilled_cots")}
    for row in [*bed.rows("expanded_traces"), *long[0].rows]:
        assert row["thought"].startswith(f"{simple[row['cot_id']]} {row['cue']}")


JUDGED = {"consistency_votes": 1, "behaviour_sample": 4}


@pytest.fixture(scope="module")
def judged(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Bed:
    """A bed whose traces the verifier has read, whatever it made of them."""
    made = bed.plant("expanded_traces", {}, expand=JUDGED | {"minimum_consistency": 0.0})
    read = Bed(tmp_path_factory.mktemp("judged"))
    read.state, read._grown = made.state, set(bed._grown)
    return read


def test_a_trace_that_the_verifier_reads_otherwise_is_rejected_and_its_twin_is_kept(judged: Bed, shown):
    rows = judged.rows("expanded_traces")
    votes = {row["votes"][0]["request_key"]: row for row in rows}
    bad = rows[0]["votes"][0]["request_key"]
    texts = {
        key: f"<think> {_written('{other}' if key == bad else '{own}', shown[row['cot_id']], row['answer_index'])} </think>"
        f"<answer>({LETTERS[(row['answer_index'] + (key == bad)) % 4]})</answer>"
        for key, row in votes.items()
    }
    made = judged.plant("expanded_traces", texts, expand=JUDGED)
    assert made.reasons_of(rows[0]["request_key"]) == ["inconsistent_by_verifier"]
    rejection = next(row for row in made.rejections if row["reason"] == "inconsistent_by_verifier")
    assert rejection["measures"] == [{"name": "consistency", "value": 0.0}]
    assert [row["trace_id"] for row in made.rows] == [row["trace_id"] for row in rows[1:]]
    assert {row["consistency"] for row in made.rows} == {1.0}


def test_the_verifiers_judgment_of_behaviours_is_kept_on_the_sample(judged: Bed):
    rows = judged.rows("expanded_traces")
    sample = [row["judged_behaviours"]["request_key"] for row in rows if row["judged_behaviours"] is not None]
    assert len(sample) == 4
    texts = dict.fromkeys(sample, "<answer>verification</answer>") | {sample[0]: "I like it."}
    made = judged.plant("expanded_traces", texts, expand=JUDGED | {"minimum_consistency": 0.0})
    judgments = {
        row["judged_behaviours"]["request_key"]: row["judged_behaviours"]
        for row in made.rows
        if row["judged_behaviours"]
    }
    assert {judgments[key]["verification"] for key in sample[1:]} == {True} and judgments[sample[0]][
        "verification"
    ] is None
    assert {judgments[key]["backtracking"] for key in sample[1:]} == {False}
