import re
import time

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lgt_assets.release.special_texts import (
    PLACEHOLDER_IN_TEXT,
    PLACEHOLDERS,
    SPECIAL_TOKEN_IN_TEXT,
    SPECIAL_TOKENS,
    message_text,
    special_text,
    special_text_reason,
)
from lgt_assets.row_model import MESSAGES

# Unicode's White_Space, which Rust's \s is; str.isspace also takes \x1c to \x1f.
WHITE_SPACE = frozenset(
    map(
        chr,
        [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000],
    )
)
# Tokens of the families, as the models' tokenizers list them.
FAMILY_TOKENS = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|vision_start|>", "<|image_pad|>", "<|video_pad|>", "<|object_ref_start|>",
    "<|eot_id|>", "<|start_header_id|>", "<|begin_of_text|>", "<|user|>", "<|assistant|>", "<|end|>", "<|image_1|>",
    "<|turn>", "<turn|>", "<|channel>", "<|media_pad|>", "<|begin_of_box|>",
    "<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>",
    "<unused12>", "<loc0511>", "<seg003>", "<row_2_col_3>",
)  # fmt: skip
HARMLESS = (
    "", "The cup is left of the plate.", "<think> Wait, let me look again. </think><answer>(B) red</answer>", "<Image>",
    "image", "< image >", "<images>", "|x| < |y|", "a <b and c> d", "x <| y |> z", "a < b | c > d", "[A] or [B]", "[inst]",
    "<b>bold</b>", "<S>", "$<$|$>$", "<||>", "<｜｜>", "a<|b", "b|>", "</answers>", "<unused>", "(A) <loc>", "&lt;image&gt;",
)  # fmt: skip


def plainly(text: str) -> str | None:
    """The same rule by hand: literals by ``in``, families by looking at what lies between brackets without a space in it."""
    if any(placeholder in text for placeholder in PLACEHOLDERS):
        return PLACEHOLDER_IN_TEXT
    if any(token in text for token in SPECIAL_TOKENS):
        return SPECIAL_TOKEN_IN_TEXT
    for start in (index for index, character in enumerate(text) if character == "<"):
        end = text.find(">", start)
        inside = text[start + 1 : end] if end >= 0 else ""
        if "<" in inside or any(character in WHITE_SPACE for character in inside):
            continue
        for name, marked in (
            (inside.removeprefix("|").removesuffix("|"), inside.startswith("|") or inside.endswith("|")),
            (inside[1:-1], len(inside) > 1 and inside[0] == inside[-1] == "｜"),
        ):
            if marked and name and "|" not in name and "｜" not in name:
                return SPECIAL_TOKEN_IN_TEXT
        if re.fullmatch(r"(?:unused|loc|seg)\d+|row_\d+_col_\d+", inside):
            return SPECIAL_TOKEN_IN_TEXT
    return None


def judged(*texts: str) -> list[str | None]:
    return (
        pl.DataFrame({"text": texts}, schema={"text": pl.String})
        .select(special_text_reason(pl.col("text")))
        .to_series()
        .to_list()
    )


pieces = st.sampled_from(
    [*PLACEHOLDERS, *SPECIAL_TOKENS, *FAMILY_TOKENS, "<", ">", "|", "｜", "<|", "|>", "[", "]", "/", " ", "\n", "image", "im_end"]
    + ["loc1", "unused", "9", "row_1_col_2", "é", "\u00a0", "\u2028", "\x1c", "\0", "INST", "</"]
)  # fmt: skip
texts = (
    st.lists(pieces | st.text(max_size=3), max_size=8)
    .map("".join)
    .filter(lambda text: not re.search("[\ud800-\udfff]", text))
)


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_found_anywhere(text: str) -> None:
    assert judged(text, f"What is{text}this?", f"<|im_end|>{text}") == [PLACEHOLDER_IN_TEXT] * 3


@pytest.mark.parametrize("text", [*SPECIAL_TOKENS, *FAMILY_TOKENS])
def test_a_special_token_is_found_anywhere(text: str) -> None:
    assert judged(text, f"So{text}\n", f"<{text}") == [SPECIAL_TOKEN_IN_TEXT] * 3


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay(text: str) -> None:
    assert judged(text) == [None]


@given(st.lists(texts, max_size=20))
@example(["<a|b|>", "<|a|b>", "<|a\u00a0b|>", "<a｜>", "<||>", "<|>", "<|<|a|>", "<|a\x1cb|>", "<|a\u2028b|>"])
def test_it_agrees_with_a_plain_reading(values: list[str]) -> None:
    assert judged(*values) == [plainly(value) for value in values]


@given(st.lists(st.lists(texts, max_size=3), max_size=5), st.lists(st.none() | texts, min_size=5, max_size=5))
def test_a_row_is_judged_by_all_its_texts(conversations: list[list[str]], chosen: list[str | None]) -> None:
    frame = pl.DataFrame(
        {
            "prompt": [[{"role": "user", "content": text} for text in contents] for contents in conversations],
            "chosen": chosen[: len(conversations)],
        },
        schema={"prompt": MESSAGES, "chosen": pl.String},
    )
    found = frame.lazy().select(
        reason=special_text_reason(message_text(pl.col("prompt")), pl.col("chosen")),
        prompt=special_text(message_text(pl.col("prompt"))),
    )
    for engine in ("in-memory", "streaming"):
        rows = found.collect(engine=engine)
        for contents, text, (reason, in_prompt) in zip(conversations, chosen, rows.iter_rows(), strict=False):
            reasons = [plainly(content) for content in [*contents, text or ""]]
            first = PLACEHOLDER_IN_TEXT if PLACEHOLDER_IN_TEXT in reasons else None
            assert reason == (first or (SPECIAL_TOKEN_IN_TEXT if any(reasons) else None))
            assert in_prompt == any(plainly(content) for content in contents)


def test_a_token_is_not_made_of_two_messages() -> None:
    frame = pl.DataFrame({"messages": [[{"role": "user", "content": "<|im"}, {"role": "user", "content": "_end|>"}]]})
    assert not frame.select(special_text(message_text(pl.col("messages")))).item()


def test_hostile_texts_take_linear_time() -> None:
    started = time.perf_counter()
    assert judged("<|" * 500_000, "<" * 1_000_000, "<|a" * 300_000, "[" * 1_000_000) == [None] * 4
    assert time.perf_counter() - started < 5
