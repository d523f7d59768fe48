"""A fault for every filter on questions, planted into what the embedded model wrote; its clean twins are kept.

Through the assets, on the prompts that the shipped profile emits: see :mod:`lgt_assets_tests.planted`.
"""

import json
import re
from collections import Counter

import pytest

from lgt_assets.schemas import frame
from lgt_assets.sources.scene_keys import scene_judge
from lgt_assets.synthesis.candidates import read_candidate
from lgt_assets.synthesis.key_accuracy import before_and_after, key_accuracy

SEED, COMPOSED = "seed_questions", "composed_questions"
_CHOICE = re.compile(r"\(([A-D])\) (.+?)(?= \([A-D]\) |\n|$)")


def _shown(bed, request_key):
    """Letters of the choices, by their texts, in a prompt of the embedded set."""
    prompt = json.loads(bed.generation(request_key)["prompt"])[-1]["text"]
    return {text: letter for letter, text in _CHOICE.findall(prompt[prompt.rindex("Question:") :])}


def _answer(bed, request_key, choice):
    """A completion of this request that names ``choice``."""
    letter = _shown(bed, request_key)[choice]
    return f"<think> So. Answer: {choice} ({letter}). </think><answer>({letter})</answer>"


def _right(row):
    return row["choices"][row["answer_index"]]


def _wrong(row):
    return next(choice for choice in row["choices"] if choice != _right(row))


def _votes(row, check, withheld_id=None):
    return [v["request_key"] for v in row["votes"] if (v["check"], v["withheld_id"]) == (check, withheld_id)]


def _reply(question, choices, key, question_type):
    listed = " ".join(f"({'ABCD'[index]}) {choice}" for index, choice in enumerate(choices))
    tags = f"<answer>({'ABCD'[key]})</answer><type>{question_type}</type>"
    return f"<question>{question}</question><choices>{listed}</choices>{tags}"


def _only_this_is_lost(bed, made, asset, row):
    """The planted row is gone, all others are as they were, but for their ordinals."""
    twins = {r["question_id"]: r | {"ordinal": 0} for r in bed.rows(asset) if r["question_id"] != row["question_id"]}
    assert {r["question_id"]: r | {"ordinal": 0} for r in made.rows} == twins and twins
    assert made.requests_sent == 0
    (rejection,) = [r for r in made.rejections if r["request_key"] == row["request_key"]]
    assert len(made.rejections) == len(bed.rows("rejections", asset=asset)) + 1
    assert read_candidate(rejection["raw"])["question_id"] == row["question_id"]
    return rejection


@pytest.fixture(scope="module")
def seeds(bed):
    return bed.grow(SEED).rows(SEED)


@pytest.fixture(scope="module")
def composed(bed):
    return bed.grow(COMPOSED).rows(COMPOSED)


def test_nothing_planted_nothing_changes(bed, composed):
    made = bed.plant(COMPOSED, {})
    assert (made.rows, made.requests_sent) == (composed, 0)


def test_a_disputed_key(bed, seeds):
    row = seeds[3]
    (key,) = _votes(row, "key_agreement")
    made = bed.plant(SEED, {key: _answer(bed, key, _wrong(row))})
    rejection = _only_this_is_lost(bed, made, SEED, row)
    assert rejection["reason"] == "key_disputed" and rejection["parent_id"] == row["image_id"]


def test_a_key_on_which_the_verifier_says_nothing(bed, seeds):
    (key,) = _votes(seeds[0], "key_agreement")
    made = bed.plant(SEED, {key: "<think> I cannot tell. </think>"})
    assert _only_this_is_lost(bed, made, SEED, seeds[0])["reason"] == "key_disputed"


def test_a_seed_question_answered_blind(bed, seeds):
    row = seeds[5]
    keys = _votes(row, "blindness")
    assert len({tuple(_shown(bed, key).items()) for key in keys}) == len(keys)
    made = bed.plant(SEED, {key: _answer(bed, key, _right(row)) for key in keys})
    assert _only_this_is_lost(bed, made, SEED, row)["reason"] == "answerable_blind"


def test_a_seed_question_once_guessed_is_kept(bed, seeds):
    row = next(row for row in seeds if row["blindness"] == 0)
    key = _votes(row, "blindness")[0]
    made = bed.plant(SEED, {key: _answer(bed, key, _right(row))})
    (kept,) = made.kept_from(row["request_key"])
    assert 0 < kept["blindness"] < 0.5 and kept["question_id"] == row["question_id"]


@pytest.mark.parametrize(("ending", "reason"), [("?", "duplicate_question"), (" in the picture?", "near_duplicate")])
def test_a_question_asked_twice(bed, seeds, ending, reason):
    first, second = seeds[0], seeds[1]
    assert first["image_id"] == second["image_id"]
    again = first["question"].removesuffix("?") + ending
    text = _reply(again, first["choices"], first["answer_index"], first["question_type"])
    made = bed.plant(SEED, {second["request_key"]: text})
    assert made.reasons_of(second["request_key"]) == [reason] and made.kept_from(second["request_key"]) == []
    assert made.kept_from(first["request_key"]) and made.requests_sent == 0
    assert len(made.rows) == len(seeds) - 1


def test_the_same_question_about_another_thing_is_no_duplicate(bed, seeds):
    first = next(row for row in seeds if re.search(r"\b(star|circle|square|cross|triangle)\b", row["question"]))
    second = next(row for row in seeds if row["image_id"] == first["image_id"] and row is not first)
    other = re.sub(r"\b(star|circle|square|cross|triangle)\b", "hexagon", first["question"])
    made = bed.plant(SEED, {second["request_key"]: _reply(other, first["choices"], 0, first["question_type"])})
    assert not {"near_duplicate", "duplicate_question"} & set(made.reasons_of(second["request_key"]))
    assert made.requests_sent > 0  # it went on to the verifier


def test_more_of_one_type_than_its_quota(bed, seeds):
    image_id, of_picture = next(
        (image_id, rows) for image_id in {row["image_id"] for row in seeds}
        if len(rows := [row for row in seeds if row["image_id"] == image_id]) == 6
    )  # fmt: skip
    common, count = Counter(row["question_type"] for row in of_picture).most_common(1)[0]
    retyped = [row for row in of_picture if row["question_type"] != common][: 4 - count]
    texts = {
        row["request_key"]: re.sub("<type>.*", f"<type>{common}</type>", bed.generation(row["request_key"])["text"])
        for row in retyped
    }
    made = bed.plant(SEED, texts)
    (rejection,) = [r for r in made.rejections if r["reason"] == "over_quota"]
    last = [row for row in of_picture if row["question_type"] == common or row in retyped][-1]
    assert (rejection["request_key"], rejection["parent_id"]) == (last["request_key"], image_id)
    assert len(made.rows) == len(seeds) - 1 and made.requests_sent == 0
    assert bed.plant(SEED, texts, questions={"maximum_type_share": 1.0}).reasons_of(last["request_key"]) == []


def test_a_composition_that_asks_what_a_parent_asks(bed, composed):
    row = composed[0]
    (parent,) = bed.rows(SEED, question_id=row["parent_question_ids"][-1])
    for question in (parent["question"].lower(), parent["question"].removesuffix("?") + " in this image?"):
        text = _reply(question, parent["choices"], parent["answer_index"], "Multi-hop")
        made = bed.plant(COMPOSED, {row["request_key"]: text})
        assert made.reasons_of(row["request_key"]) == ["same_as_parent"] and made.requests_sent == 0
        assert [r["question_id"] for r in made.rows] == [r["question_id"] for r in composed[1:]]


def test_a_composition_that_the_facts_do_not_support(bed, composed):
    row = composed[1]
    (key,) = _votes(row, "support")
    made = bed.plant(COMPOSED, {key: _answer(bed, key, _wrong(row))})
    assert _only_this_is_lost(bed, made, COMPOSED, row)["reason"] == "not_supported"


def test_a_composition_answered_blind(bed, composed):
    row = composed[0]
    made = bed.plant(COMPOSED, {key: _answer(bed, key, _right(row)) for key in _votes(row, "blindness")})
    rejection = _only_this_is_lost(bed, made, COMPOSED, row)
    assert rejection["reason"] == "answerable_blind"
    assert {"support", "blindness", "necessity"} <= {measure["name"] for measure in rejection["measures"]}


def test_a_composition_that_does_without_one_of_its_parents(bed, composed):
    row = composed[-1]
    for parent_id in row["parent_question_ids"]:
        keys = _votes(row, "necessity", parent_id)
        made = bed.plant(COMPOSED, {key: _answer(bed, key, _right(row)) for key in keys})
        assert _only_this_is_lost(bed, made, COMPOSED, row)["reason"] == "not_necessary"
    kept = bed.plant(COMPOSED, {keys[0]: _answer(bed, keys[0], _right(row))}).kept_from(row["request_key"])
    assert [twin["question_id"] for twin in kept] == [row["question_id"]] or row["necessity"] <= 0.25


def test_a_composition_no_harder_than_its_parents_where_that_is_asked_for(bed, composed):
    easy, *_ = harder = [row for row in composed if row["hardness"] > 0]
    assert len(harder) >= 2
    (image,) = bed.rows("images", image_id=easy["image_id"])
    samples = [
        row["request_key"] for row in bed.rows("generations", role="vlm")
        if f"Question: {easy['question']}\n" in json.loads(row["prompt"])[-1]["text"] and image["sha256"] in row["prompt"]
    ]  # fmt: skip
    assert len(samples) == 4
    texts = {key: _answer(bed, key, _right(easy)) for key in samples}
    made = bed.plant(COMPOSED, texts, compose={"minimum_hardness": 0.01})
    assert made.reasons_of(easy["request_key"]) == ["not_harder"] and made.requests_sent == 0
    assert [row["question_id"] for row in made.rows] == [row["question_id"] for row in harder[1:]]
    (recorded,) = bed.plant(COMPOSED, texts).kept_from(easy["request_key"])
    assert recorded["hardness"] <= 0


@pytest.mark.parametrize(("asset", "switched_off"), [
    (SEED, {"questions": {"key_votes": 0, "blindness_votes": 0}}),
    (COMPOSED, {"compose": {"support_votes": 0, "blindness_votes": 0, "necessity_votes": 0, "measure_hardness": False}}),
])  # fmt: skip
def test_every_check_can_be_switched_off(bed, composed, asset, switched_off):
    made = bed.plant(asset, {}, **switched_off)
    judged = {"key_disputed", "answerable_blind", "not_supported", "not_necessary", "not_harder", "over_quota"}
    assert not judged & {rejection["reason"] for rejection in made.rejections} and made.requests_sent == 0
    rates = {"key_agreement", "support", "necessity", "blindness", "hardness"} & made.rows[0].keys()
    assert all(row[name] is None for row in made.rows for name in rates) and all(
        row["votes"] == [] for row in made.rows
    )
    assert len(made.rows) >= len(bed.rows(asset))


def test_hardness_is_paid_once(bed, composed):
    bed.grow("distilled_cots")
    paid = bed.rows("generations", asset=COMPOSED, role="vlm")
    used = {row["request_key"] for row in bed.rows("distilled_cots")}
    assert paid and len({row["request_key"] for row in paid} & used) > len(paid) * 0.8
    (funnel,) = bed.rows("funnel", asset="distilled_cots")
    assert funnel["requests_reused"] == len(paid)


def test_the_filter_on_keys_raises_their_true_accuracy(bed, seeds):
    """Some keys are made wrong, with the verifier's honest votes on them."""
    spoiled = {}
    for row in seeds[::5]:
        text = bed.generation(row["request_key"])["text"]
        letter = re.search(r"<answer>\(([A-D])\)", text)[1]
        spoiled[row["request_key"]] = text.replace(f"<answer>({letter})", f"<answer>({'BCDA'['ABCD'.index(letter)]})")
    made = bed.plant(SEED, spoiled)
    judge = scene_judge(frame("images", bed.rows("images")))
    accuracy = key_accuracy(frame(SEED, made.rows), frame("rejections", made.rejections), judge, asset=SEED)
    summed = before_and_after(accuracy)
    assert summed["before"]["right"] <= summed["before"]["judged"] - len(spoiled) // 2
    assert summed["after"]["accuracy"] > summed["before"]["accuracy"]
    assert sum("key_disputed" in made.reasons_of(key) for key in spoiled) > len(spoiled) / 2
