"""Texts are found as they stand in logs and prompts, and taken out of them whole."""

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.takedown.texts import GONE, LEAST_CHARACTERS, holds_any, in_json, pieces, spellings, telling, without

# Characters that JSON escapes, and some that only ASCII does.
TEXTS = st.text(alphabet=st.sampled_from('ab "\\\n\té字'), min_size=LEAST_CHARACTERS, max_size=40)


@given(text=TEXTS, depth=st.integers(0, 2), ascii_only=st.booleans())
def test_a_text_is_found_and_replaced_however_often_it_was_encoded(text: str, depth: int, ascii_only: bool) -> None:
    written = f"before {text} after"
    for _ in range(depth):
        written = json.dumps(written, ensure_ascii=ascii_only)
    rows = pl.DataFrame({"text": [written]})
    assert rows.select(holds_any("text", spellings([text]))).item()
    left = rows.select(without("text", spellings([text]))).item()
    for _ in range(depth):
        left = json.loads(left)
    assert left == f"before {GONE} after"


def test_the_longest_of_several_at_one_place_goes() -> None:
    rows = pl.DataFrame({"text": ["a red ball on wet grass"]})
    assert rows.select(without("text", ["a red ball", "a red ball on wet grass"])).item() == GONE
    assert rows.select(without("text", [])).item() == "a red ball on wet grass"
    assert not rows.select(holds_any("text", [])).item()


def test_short_texts_tell_nothing() -> None:
    short = "x" * LEAST_CHARACTERS
    assert telling(["Which?", None, short, short, "y" * 20]) == ["y" * 20, short]


def test_a_refused_question_is_taken_out_of_its_raw_text() -> None:
    raw = [
        '{"question": "How many yellow objects are there?"}',
        "<question>What is left of the big star?</question><x>",
    ]
    assert pieces(raw) == ["How many yellow objects are there?", "What is left of the big star?"]
    assert in_json('say "a"\n') == '\\"'.join(["say ", "a", "\\n"])
