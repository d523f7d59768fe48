import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.embedded.answerers import CUES
from lgt_assets.embedded.examples import Example
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, NotAskable, true_answer
from lgt_assets.embedded.roles import make_example, practice_example
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.embedded.slips import misperceive
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
        assert example.variables["objects"] is None and len(example.variables["known"]) < 2
    else:
        assert example.answer == true_answer(example.variables["question"], example.scene)
    if example.choices is None:
        assert example.reply.endswith(f"<answer>{example.answer}</answer>")


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
