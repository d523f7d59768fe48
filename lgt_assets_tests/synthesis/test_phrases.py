"""Phrases that the questioner lists for the detector: each is the caption's own words, or is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.settings import DetectSettings
from lgt_assets.synthesis.parsed import Rejected
from lgt_assets.synthesis.phrases import Phrase, build_phrases, parse_phrases, plan_phrases
from lgt_assets.synthesis.planned import Outcome
from lgt_assets_tests.rows import SHARD, image_row
from lgt_assets_tests.synthesis.made import PROMPTS, answer, profile

CAPTION = (
    "A  White mug stands beside a silver spoon.\nTwo dogs (one brown) look at St. Anna's bell; the mug is chipped."
)
SETTINGS = DetectSettings()


def line(phrase: str, label: str) -> str:
    return f"<phrase>{phrase}</phrase><label>{label}</label>"


def items(*lines: str, finished: bool = True, **changes: int) -> list[Phrase | Rejected]:
    return parse_phrases("\n".join(lines), CAPTION, finished=finished, settings=DetectSettings(**changes))


def reasons(*lines: str, **changes: int) -> list[str]:
    return [item.reason if isinstance(item, Rejected) else "" for item in items(*lines, **changes)]


def test_phrases_are_stored_as_the_caption_has_them() -> None:
    found = items(line("white MUG", "Mug"), line("silver  spoon", "spoon"), line("Two dogs", "dogs"))
    assert found == [Phrase("White mug", "mug"), Phrase("silver spoon", "spoon"), Phrase("Two dogs", "dogs")]


@pytest.mark.parametrize(
    ("phrase", "label", "reason"),
    [
        ("red mug", "mug", "phrase_not_in_caption"),
        ("mug white", "mug", "phrase_not_in_caption"),
        ("hite mug", "mug", "phrase_not_in_caption"),
        ("silver spo", "spo", "phrase_not_in_caption"),
        ("", "mug", "phrase_not_in_caption"),
        ("silver spoon. Two dogs", "dogs", "phrase_has_stop"),
        ("bell; the mug", "mug", "phrase_has_stop"),
        ("mug stands beside a silver spoon Two dogs (one brown)", "dogs", "phrase_too_long"),
        ("white mug", "spoon", "label_not_in_phrase"),
        ("white mug", "ug", "label_not_in_phrase"),
        ("white mug", " ", "label_not_in_phrase"),
        ("dogs (one", "dogs", ""),
        (".*", ".*", "phrase_has_stop"),
        ("[a-z]+", "[a-z]+", "phrase_not_in_caption"),
    ],
)
def test_what_is_no_phrase_of_the_caption_is_refused(phrase: str, label: str, reason: str) -> None:
    assert reasons(line(phrase, label), line("silver spoon", "spoon")) == [reason, ""]


def test_a_phrase_counts_once_and_no_more_than_are_wanted() -> None:
    assert reasons(line("white mug", "mug"), line("White mug", "mug"), line("mug", "mug")) == [
        "",
        "duplicate_phrase",
        "",
    ]
    assert reasons(line("white mug", "mug"), line("Two dogs", "dogs"), phrases=1) == ["", "too_many_phrases"]


def test_a_reply_without_phrases_and_one_that_was_cut_off() -> None:
    assert reasons("I cannot list any.") == ["no_phrases"]
    assert reasons("white mug, silver spoon") == ["no_phrases"]
    cut = items(line("white mug", "mug"), "<phrase>silver sp", finished=False)
    assert [type(item) for item in cut] == [Phrase, Rejected] and cut[1] == Rejected("cut_off", "<phrase>silver sp")
    assert reasons(line("white mug", "mug"), "That is all.") == [""]


@given(
    st.lists(st.tuples(st.text(), st.text()) | st.tuples(st.sampled_from(CAPTION.split()), st.text())),
    st.text(),
    st.booleans(),
)
def test_any_reply_gives_words_of_the_caption_or_reasons(pairs: list, more: str, finished: bool) -> None:
    text = "\n".join([more, *(line(*pair) for pair in pairs), more])
    for item in parse_phrases(text, CAPTION, finished=finished, settings=SETTINGS):
        if isinstance(item, Phrase):
            assert item.phrase in " ".join(CAPTION.split()) and item.label and item.label in item.phrase.lower()
        else:
            assert item.reason.isidentifier() and item.raw in text


def test_requests_are_greedy_and_told_how_much_is_wanted() -> None:
    images = [image_row(number, caption=CAPTION) for number in range(2)]
    hot = profile(roles={"questioner": {"model": "small", "sampling": {"temperature": 1.0}}}, detect={"phrases": 7})
    planned = list(plan_phrases(images, profile=hot, prompts=PROMPTS))
    assert [one.context["image_id"] for one in planned] == [row["image_id"] for row in images]
    assert planned[0].request.sampling.temperature == 0 and planned[0].request.seed != planned[1].request.seed
    assert (
        "at most 7 things" in planned[0].request.messages[-1].text and CAPTION in planned[0].request.messages[-1].text
    )


def test_refused_phrases_are_rejections_of_their_picture() -> None:
    images = [image_row(number, caption=CAPTION) for number in range(2)]
    planned = list(plan_phrases(images, profile=profile(), prompts=PROMPTS))
    answered = answer(
        planned, lambda one: f"{line('white mug', 'mug')}{line('red car', 'car')}{line('red car', 'car')}"
    )
    outcome = Outcome()
    found = build_phrases(SHARD, answered, outcome, settings=SETTINGS)
    assert found == {row["image_id"]: [Phrase("White mug", "mug")] for row in images}
    assert [(row["reason"], row["parent_id"]) for row in outcome.rejections] == [
        ("phrase_not_in_caption", row["image_id"]) for row in images for _ in range(2)
    ]
    assert len({row["rejection_id"] for row in outcome.rejections}) == 4 and (outcome.asked, outcome.parsed) == (2, 2)
