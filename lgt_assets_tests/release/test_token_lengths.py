import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.release.chat_tokens import ChatTokens
from lgt_assets.release.picture_tokens import PixelLimits, picture_tokens
from lgt_assets.release.token_counters import Estimate
from lgt_assets.release.token_lengths import (
    MEASURED,
    Lengths,
    TokenLengthMeasure,
    grpo_length,
    measured_rows,
)
from lgt_assets.row_model import MESSAGES


class Letters:
    """One token a character."""

    exact, method, chat = True, "letters", ChatTokens(prompt=7, turn=3, completion=2, picture=1)

    def count(self, texts: pl.Series) -> pl.Series:
        return texts.str.len_chars().cast(pl.Int64)


TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
ROWS = st.lists(
    st.fixed_dictionaries({
        "prompt": TEXT, "turns": st.integers(1, 3), "completions": st.lists(TEXT, max_size=3), "pictures": st.integers(0, 2),
        "width": st.integers(1, 900), "height": st.integers(1, 900),
    }),
    max_size=60,
)  # fmt: skip


def row(prompt: str = "", completions: tuple[str, ...] = ()) -> dict:
    return {"prompt": prompt, "turns": 1, "completions": completions, "pictures": 0, "width": None, "height": None}


def as_frame(rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=MEASURED)


def plain_lengths(values: list[int]) -> Lengths:
    ordered = sorted(values)
    at = [ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in (50, 95, 99)]
    return Lengths(round(sum(values) / len(values), 1), *at, max(values))


@settings(deadline=None)
@given(ROWS, st.integers(1, 20), st.booleans())
def test_it_is_what_a_plain_computation_gives(rows, at_once, exact):
    counter = Letters() if exact else Estimate(2.5)
    measure, chat = TokenLengthMeasure(counter, PixelLimits(100, 10**5)), counter.chat
    frame = as_frame(rows)
    for some in frame.iter_slices(at_once):
        measure.add(some)
    found = measure.summary()

    def count(text: str) -> int:
        size, digits = len(text.encode()), sum(character in "0123456789" for character in text)
        words = math.ceil((len(text) - digits) / 2.5)
        return len(text) if exact else min(size, words + digits + 8 + 2 * (size - len(text)))

    blocks = frame.select(picture_tokens(pl.col("width"), pl.col("height"), PixelLimits(100, 10**5))).to_series()
    prompts = [
        count(row["prompt"]) + chat.prompt + chat.turn * (row["turns"] - 1) + row["pictures"] * (chat.picture + tokens)
        for row, tokens in zip(rows, blocks, strict=True)
    ]
    completions = [max((count(text) + chat.completion for text in row["completions"]), default=0) for row in rows]
    totals = [sum(pair) for pair in zip(prompts, completions, strict=True)]
    assert found.rows == len(rows) and found.exact == exact
    if not rows:
        assert found.total == Lengths(0.0, 0, 0, 0, 0) and found.max_length == 256
        return
    assert (found.prompt, found.completion, found.total) == tuple(map(plain_lengths, (prompts, completions, totals)))
    for limit, longest in (
        (found.max_length, max(totals)), (found.max_prompt_length, max(prompts)),
        (found.max_completion_length, max(completions)),
    ):  # fmt: skip
        longest = longest if exact else longest * 1.1
        assert limit % 256 == 0 and longest <= limit < longest + 256 or limit == 256 >= longest


def test_rows_of_every_task():
    user, assistant = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
    system = {"role": "system", "content": "Be brief."}
    shared = {"images": [["i"], []], "width": [640, None], "height": [480, None]}
    schema = {
        "images": pl.List(pl.String),
        "width": pl.Int64,
        "height": pl.Int64,
        "messages": MESSAGES,
        "prompt": MESSAGES,
    }
    pictures = {"pictures": [1, 0], "width": [640, None], "height": [480, None]}
    prompts = {"prompt": ["Why?", "Be brief.\nWhy?"], "turns": [1, 2]}
    sft = shared | {"messages": [[user, assistant], [system, user, assistant]]}
    dpo = shared | {"prompt": [[user], [system, user]], "chosen": ["a", "b"], "rejected": ["c", "dd"]}
    rl = shared | {"messages": [[user], [system, user]]}
    for task, rows, completions in (
        ("sft", sft, [["So."], ["So."]]), ("dpo", dpo, [["a", "c"], ["b", "dd"]]), ("rl", rl, [[], []]),
    ):  # fmt: skip
        frame = pl.DataFrame(rows, schema_overrides={name: kind for name, kind in schema.items() if name in rows})
        assert measured_rows(frame, task).to_dict(as_series=False) == prompts | {"completions": completions} | pictures


def test_a_row_without_pictures_has_no_size():
    measure = TokenLengthMeasure(Letters())
    measure.add(as_frame([row("abc", ("de",))]))
    assert measure.summary().total.max == 3 + 7 + 2 + 2


def test_memory_is_what_lengths_there_are():
    measure = TokenLengthMeasure(Letters())
    frame = as_frame([row("a" * n) for n in range(50)])
    for _ in range(200):
        measure.add(frame)
    assert measure.summary().rows == 10_000 and len(measure._total._rows) == 50


def test_prompts_are_given_the_room_of_completions_elsewhere():
    measures = []
    for length in (10, 300):
        measure = TokenLengthMeasure(Letters())
        measure.add(as_frame([row("", ("a" * length,))]))
        measures.append(measure.summary())
    assert grpo_length(one.max_completion_length for one in measures) == 512
    assert grpo_length([]) == 256
    assert measures[1].as_dict()["completion"]["max"] == 302


@pytest.mark.parametrize(("tokens", "limit"), [(0, 256), (247, 256), (248, 512), (1015, 1024), (1016, 1280)])
def test_the_limit_is_the_next_multiple(tokens, limit):
    measure = TokenLengthMeasure(Letters())
    measure.add(as_frame([row("a" * tokens, ("",))]))
    assert measure.summary().max_length == limit
