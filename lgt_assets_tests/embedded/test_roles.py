import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.embedded.answerers import CUES
from lgt_assets.embedded.examples import Example
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, true_answer
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.roles import make_example, practice_example
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.embedded.slips import misperceive
from lgt_assets.embedded.verdicts import CANNOT_KNOW, verifier_example
from lgt_assets.embedded.wordings import Ask, parse
from lgt_assets.synthesis.parsing import ParsedQuestion, answer_index, parse_questions

SEEDS = st.integers(0, 2**40)


def example_of(role: str, seed: int) -> Example:
    return make_example(role, generate_scene(seed), random.Random(seed))


@pytest.mark.parametrize("role", ["questioner", "composer"])
@given(seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_written_questions_parse_and_their_keys_are_true(role: str, seed: int) -> None:
    example = example_of(role, seed)
    parsed = parse_questions(example.reply)
    assert len(parsed) == 1 and isinstance(parsed[0], ParsedQuestion)
    question = parsed[0]
    assert len(set(question.choices)) == 4
    assert question.choices[question.answer_index] == true_answer(question.question, example.scene)
    expected = "Multi-hop" if role == "composer" else example.variables["question_type"]
    assert question.question_type == expected


@pytest.mark.parametrize("role", ["vlm", "reasoner"])
@given(seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_replies_end_with_the_right_choice(role: str, seed: int) -> None:
    example = example_of(role, seed)
    assert answer_index(example.prefix + example.reply, list(example.choices)) == example.choices.index(example.answer)
    assert example.answer == true_answer(example.variables["question"], example.scene)


@given(SEEDS)
@settings(max_examples=150, deadline=None)
def test_the_verifier_is_right_unless_it_says_that_it_guesses(seed: int) -> None:
    example = example_of("verifier", seed)
    if "I cannot know this" in example.reply:
        assert example.variables["objects"] is None and example.variables["caption"] is None
    else:
        assert example.answer == true_answer(example.variables["question"], example.scene)
    if example.choices is None:
        assert example.reply.endswith(f"<answer>{example.answer}</answer>")


@pytest.mark.parametrize("case", ["partial", "wrong"])
@given(seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_the_verifier_lacks_one_parents_answer_where_it_must_guess(case: str, seed: int) -> None:
    scene = generate_scene(seed)
    example = verifier_example(scene, random.Random(seed), case)
    assert CANNOT_KNOW in example.reply
    known = [(fact["question"], fact["answer"]) for fact in example.variables["known"]]
    assert 1 <= len(known) <= 4 and all(true_answer(question, scene) == answer for question, answer in known)
    parents = {"sum": len(example.ask.slots), "both": 2, "if": 2, "more": 2}.get(example.ask.kind)
    assert parents is None or len(known) == parents - (case == "partial")
    if case == "wrong" and len(known) == 2:
        # Together these do not lead to the question, or they would be its parents.
        assert example.ask != Ask("both", parts=tuple(parse(question) for question, _ in known))


def test_guesses_are_spread_over_the_choices() -> None:
    guesses = [verifier_example(generate_scene(i), random.Random(i), "partial") for i in range(300)]
    letters = [example.choices.index(example.answer) for example in guesses if example.choices]
    assert all(letters.count(index) > len(letters) / 7 for index in range(4))


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_open_questions_are_answered_in_words(seed: int) -> None:
    example = example_of("open", seed)
    assert example.sees_picture and example.choices is None
    assert example.reply.endswith(f" Answer: {example.answer}. </think><answer>{example.answer}</answer>")
    assert example.answer == true_answer(example.variables["question"], example.scene)
    assert (example.variables["verification"] == "number") == example.answer.isdigit()


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_the_reasoner_goes_on_after_a_cue_and_never_speaks_of_what_only_it_sees(seed: int) -> None:
    example = example_of("reasoner", seed)
    assert example.prefix.startswith("<think> I see #1 ") and example.prefix.endswith(CUES)
    assert not re.search(r"\b(caption|description|text|user|facts)\b", example.reply, re.IGNORECASE)
    first = example.prefix[: -len(next(cue for cue in CUES if example.prefix.endswith(cue)))].strip()[-4:-1]
    says_wrong = any(words in example.reply for words in ("I was wrong", "a mistake", "answer was wrong"))
    assert says_wrong == (first not in example.reply.rpartition("<answer>")[2])


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_slips_change_the_scene_a_little(seed: int) -> None:
    scene = generate_scene(seed)
    other = misperceive(scene, random.Random(seed))
    changed = [item for item in scene.objects if item not in other.objects]
    assert len(changed) <= 1 and len(other.objects) >= len(scene.objects) - 1


def test_examples_come_in_all_their_variety() -> None:
    replies = {role: [example_of(role, seed) for seed in range(300)] for role in ("composer", "verifier", "vlm")}
    assert {example.variables["composition_kind"] for example in replies["composer"]} == set(COMPOSITION_KINDS)
    assert {len(example.variables["parents"]) for example in replies["composer"]} == {2, 3, 4}
    assert {example.choices is None for example in replies["verifier"]} == {True, False}
    assert {example.variables["answer_format"] for example in replies["vlm"]} == {"letter", "letter_text"}
    letters = [example.reply.rpartition("<answer>")[2][1] for example in replies["vlm"]]
    assert all(45 < letters.count(letter) < 105 for letter in "ABCD")


def test_practice_reasons_about_one_list() -> None:
    pieces = practice_example(generate_scene(4), random.Random(4))
    assert pieces[0][0].startswith("Objects: ") and [learnt for _, learnt in pieces].count(True) == 5
    assert all(text.startswith("<think> ") and text.endswith(" </think>") for text, learnt in pieces if learnt)


def test_unknown_roles_and_questions_are_refused() -> None:
    with pytest.raises(KeyError):
        make_example("poet", generate_scene(0), random.Random(0))
    with pytest.raises(NotAskable):
        true_answer("Why?", generate_scene(0))
