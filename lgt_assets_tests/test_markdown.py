"""What a model writes is shown as it is: it cannot make a link, a picture, a heading, HTML or a cell of its own."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lgt_assets.markdown import plain_text, table_of

RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
HOSTILE = [
    "[click](javascript:alert(1))", "![x](https://evil.example/track.png)", "<img src=x onerror=alert(1)>", "a | b || c",
    "<javascript:alert(1)>", "**bold** _it_ ~~gone~~ `code`", "# head", "&lt;script&gt;", "\\| \\[", "[ref]: http://evil.example",
    "&#x5b;a&#x5d;(b)", "it's \"quoted\"", "line\nbreak\r\n\ttab", "<!-- comment -->", "$x^2$", "- list", "1. list", "{=html}",
]  # fmt: skip


def rendered_cell(text: str) -> str:
    page = RENDERER.render(table_of(["head"], [[plain_text(text, 200)]]))
    body = re.fullmatch(
        r"<table>\n<thead>\n<tr>\n<th>head</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>(.*)</td>\n</tr>\n</tbody>\n</table>\n", page
    )  # fmt: skip
    assert body, page
    assert not re.search(r"<", body[1]), body[1]
    return html.unescape(body[1])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    assert rendered_cell(text).replace("\N{WORD JOINER}", "") == re.sub(r"\s", " ", text)


SIGNS = st.sampled_from(list("[](){}*_`~!\\#|<>&;:/@.-+= \n\t\x00\u202eahtpw"))


@given(st.text(alphabet=st.one_of(SIGNS, st.characters()), max_size=60))
def test_any_text_stays_in_its_cell(text: str) -> None:
    if plain_text(text, 200).strip():
        rendered_cell(text)


ADDRESSES = [
    "http://evil.example", "HTTPS://evil.example", "www.evil.example", "WwW.evil.example", "a@evil.example",
    "mailto:a@b.example",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_bare_address_is_left_that_would_become_a_link(address: str) -> None:
    text = html.unescape(plain_text(f"see {address} now", 200))
    # as mdast-util-gfm-autolink-literal, Dagit's renderer, looks for them
    assert not re.search(r"(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)", text, re.IGNORECASE)
    assert not re.search(r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", text)


def test_controls_and_marks_of_direction_are_spelt_out() -> None:
    assert plain_text("a\x1b[2J\u202eb", 99) == "aU+001B&#91;2JU+202Eb"


def test_long_text_is_cut() -> None:
    assert plain_text("x" * 50, 10) == "x" * 9 + "…"


def test_numbers_stand_to_the_right() -> None:
    assert table_of(["a", "b"], [["x", "1"]], right=(1,)) == "| a | b |\n| --- | ---: |\n| x | 1 |"
