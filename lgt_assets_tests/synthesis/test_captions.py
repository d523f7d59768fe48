"""Captions that a model writes: what is taken, what is refused, and that nobody takes them for written ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.settings import CaptionSettings
from lgt_assets.synthesis.captions import build_captions, parse_caption, plan_captions
from lgt_assets.synthesis.parsed import Rejected
from lgt_assets_tests.rows import SHARD, image_row
from lgt_assets_tests.synthesis.made import PROMPTS, answer, profile

LONG = (
    "A white mug with a chipped rim stands on a wooden table beside a silver spoon, and behind both of them a green plant "
    "leans against a plain grey wall."
)
SETTINGS = CaptionSettings()
CAPTIONING = profile(roles={"captioner": {"model": "small", "sampling": {"temperature": 0.2}}})


def reason(text: str, *, finished: bool = True, **changes: object) -> str:
    parsed = parse_caption(text, finished=finished, settings=CaptionSettings(**changes))
    assert isinstance(parsed, Rejected) and parsed.raw == text
    return parsed.reason


def test_a_caption_is_put_on_one_line() -> None:
    text = f"Here it is:\n<caption>\n {LONG.replace(', ', ',' + chr(10))} </caption> Good luck!"
    assert parse_caption(text, finished=True, settings=SETTINGS) == LONG
    assert parse_caption(f"<CAPTION>{LONG}</Caption>", finished=False, settings=SETTINGS) == LONG


def test_what_is_no_caption_is_refused_by_name() -> None:
    assert reason(LONG) == reason("<caption> </caption>") == reason("") == "no_caption"
    assert reason(f"<caption>{LONG}", finished=False) == "cut_off"
    assert reason(f"<caption>{LONG}</caption> <caption>{LONG}</caption>") == "several_captions"
    assert reason("<caption>A mug on a table.</caption>") == "caption_too_short"
    assert reason(f"<caption>{LONG} {LONG} {LONG}</caption>") == "repeats"
    german = (
        "Eine weiße Tasse steht auf dem Tisch und ein Löffel liegt mit einer Gabel auf der Decke, die nicht grün ist."
    )
    assert reason(f"<caption>{german} {german[:-1]} und es ist ein Tag.</caption>") == "wrong_language"
    assert (
        parse_caption(f"<caption>{german}</caption>", finished=True, settings=CaptionSettings(language="any")) == german
    )
    assert parse_caption("<caption>Mug.</caption>", finished=True, settings=CaptionSettings(minimum_words=1)) == "Mug."


@given(st.text(), st.booleans())
def test_any_text_is_a_caption_or_a_reason(text: str, finished: bool) -> None:
    for wrapped in (text, f"<caption>{text}</caption>", f"{text}<caption>{text}"):
        parsed = parse_caption(wrapped, finished=finished, settings=CaptionSettings(minimum_words=1))
        if isinstance(parsed, Rejected):
            assert parsed.raw == wrapped and parsed.reason.isidentifier()
        else:
            assert parsed == " ".join(parsed.split()) and parsed


def rows() -> list[dict]:
    """Three pictures; the middle one has no caption."""
    made = [image_row(number) for number in range(3)]
    made[1] |= {"caption": None, "caption_source": "manifest"}
    return made


def test_only_pictures_without_a_caption_are_asked_about_each_with_its_own_seed() -> None:
    planned = list(plan_captions([row | {"caption": None} for row in rows()], profile=CAPTIONING, prompts=PROMPTS))
    assert len({one.request.seed for one in planned}) == 3
    assert [one.request.messages[-1].images[0].sha256 for one in planned] == [row["sha256"] for row in rows()]
    (one,) = plan_captions(rows(), profile=CAPTIONING, prompts=PROMPTS)
    assert one.context == {"image_id": rows()[1]["image_id"]} and one.request.sampling.temperature == 0.2
    assert one.request.template_hash == PROMPTS.template_hash("caption")


def test_a_generated_caption_is_marked_and_stands_in_its_place() -> None:
    planned = list(plan_captions(rows(), profile=CAPTIONING, prompts=PROMPTS))
    answered = answer(planned, lambda _one: f"<caption>{LONG}</caption>")
    outcome = build_captions(SHARD, rows(), [], answered, settings=SETTINGS, captioner="vlm@1")
    made = list(outcome.rows)
    SCHEMAS["images"].validate(frame("images", made))
    assert [row["ordinal"] for row in made] == [0, 1, 2]
    assert [row["caption_source"] for row in made] == ["human", "vlm@1", "human"]
    assert [row["request_key"] for row in made] == [None, answered[0].request_key, None]
    assert made[1]["caption"] == LONG and made[0]["caption"] == rows()[0]["caption"]


def test_a_bad_caption_is_a_rejection_and_not_a_picture() -> None:
    planned = list(plan_captions(rows(), profile=CAPTIONING, prompts=PROMPTS))
    answered = answer(planned, lambda _one: "I see nothing.")
    outcome = build_captions(SHARD, rows(), [], answered, settings=SETTINGS, captioner="vlm@1")
    (rejection,) = outcome.rejections
    assert (rejection["reason"], rejection["raw"]) == ("no_caption", "I see nothing.")
    assert rejection["request_key"] == answered[0].request_key and rows()[1]["image_id"] in rejection["detail"]
    assert [row["ordinal"] for row in outcome.rows] == [0, 1]
    SCHEMAS["rejections"].validate(frame("rejections", list(outcome.rejections)))


def test_where_nobody_may_be_asked_the_rejection_says_what_to_do() -> None:
    outcome = build_captions(SHARD, rows(), [], None, settings=SETTINGS, captioner="")
    (rejection,) = outcome.rejections
    assert rejection["reason"] == "caption_missing" and rejection["request_key"] is None
    assert "bind the role `captioner` and set `captions: {allow_generated: true}`" in rejection["detail"]
    assert len(outcome.rows) == 2


@pytest.mark.parametrize("answered", [None, []])
def test_rejections_of_the_source_stay(answered: list | None) -> None:
    before = build_captions(SHARD, rows(), [], None, settings=SETTINGS, captioner="")
    outcome = build_captions(SHARD, rows(), list(before.rejections), answered, settings=SETTINGS, captioner="")
    reasons = [row["reason"] for row in outcome.rejections]
    assert reasons == ["caption_missing"] * (1 if answered is not None else 2)
    assert [row["ordinal"] for row in outcome.rejections] == list(range(len(reasons)))
