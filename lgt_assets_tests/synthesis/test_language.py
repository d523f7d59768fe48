"""Thoughts in another script or language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.language import language_of, wrong_language

ENGLISH = "The ball lies on the grass beside the shed, and its upper half is in the sun. So it is red, choice (B)."
SLIPS = [
    "The ball lies on the 草地 beside the shed.",
    "The ball is red. 因此答案是红色。",
    "The мяч is red.",
    "The ball ボール is red.",
    "The ball is أحمر in the sun.",
    "Der Ball ist rot und liegt auf dem Gras. Das Gras ist nicht sehr hoch und es wird von der Sonne beschienen.",
    "La pelota es roja y está en el césped. El color no es azul, por lo que la respuesta es rojo.",
    "Le ballon est rouge et il est dans l'herbe. La couleur ne change pas avec le soleil, donc c'est rouge.",
]
KEPT = [
    ENGLISH,
    "I see #1 small red circle [10, 20, 50, 60]; #2 large blue star [90, 20, 150, 80]. 110 against 110: level. So no.",
    "The café façade reads “Señor Müller”, naïve but nice.",
    "The angle α is about 30° and π is near.",
    "𝐁𝐨𝐥𝐝 letters say ＲＥＤ.",
    "No, no, no.",
    "",
]


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_is_found(text):
    assert wrong_language(text) is not None


@pytest.mark.parametrize("text", KEPT)
def test_english_is_kept(text):
    assert wrong_language(text) is None


def test_a_sign_that_is_shown_may_be_quoted():
    assert wrong_language("The sign says 出口, so it is the exit.") is not None
    assert wrong_language("The sign says 出口, so it is the exit.", shown="A sign with 出口 in green.") is None
    assert wrong_language("The sign says 入口, so it is the way in.", shown="A sign with 出口 in green.") is not None


def test_a_share_of_other_letters_can_be_allowed():
    assert wrong_language(f"{ENGLISH} 草", maximum_other_script=0.0) is not None
    assert wrong_language(f"{ENGLISH} 草", maximum_other_script=0.05) is None


def test_languages_are_told_apart_by_function_words():
    assert [language_of(text) for text in (ENGLISH, *SLIPS[5:])] == ["English", "German", "Spanish", "French"]


@given(st.text(), st.text())
def test_any_text_gives_a_reason_or_none(text, shown):
    assert isinstance(wrong_language(text, shown), str | None)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_ascii_is_of_no_other_script(text):
    found = wrong_language(text)
    assert found is None or "script" not in found
