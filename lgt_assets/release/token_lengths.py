"""How long a release's rows are in tokens of a trainee, and the ``max_length`` that cuts none of them.

Trainers cut what is longer than their limit without a word: TRL's 1,024 left completions out whole, so that nothing was
trained on. Lengths are added up batch by batch; what is kept of them is how often each came.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

from lgt_assets.release.picture_tokens import QWEN2_5_VL_PIXELS, PixelLimits, picture_tokens
from lgt_assets.release.special_texts import message_text
from lgt_assets.release.token_counters import TokenCounter

MULTIPLE = 256
ESTIMATE_MARGIN = 0.1
MEASURED = {
    "prompt": pl.String, "turns": pl.Int64, "completions": pl.List(pl.String), "pictures": pl.Int64, "width": pl.Int64,
    "height": pl.Int64,
}  # fmt: skip


def measured_rows(rows: pl.DataFrame, task: Literal["sft", "dpo", "rl"]) -> pl.DataFrame:
    """What is measured of some rows (columns and types: :data:`MEASURED`).

    Args:
        rows: of ``sft_mix``, ``preference_pairs`` or ``rl_prompts``, with ``width`` and ``height`` in pixels of the first
            picture of each (null without one).
        task: what the rows are for. A pair's completions are both, and its length the longer one's.
    """
    messages = pl.col("prompt" if task == "dpo" else "messages")
    none = pl.lit([], dtype=pl.List(pl.String))
    completions = {
        "sft": pl.concat_list(messages.list.last().struct.field("content")),
        "dpo": pl.concat_list("chosen", "rejected") if task == "dpo" else none,
        "rl": none,
    }[task]
    prompt = messages.list.head(messages.list.len() - 1) if task == "sft" else messages
    columns = {
        "prompt": message_text(prompt), "turns": prompt.list.len(), "completions": completions,
        "pictures": pl.col("images").list.len(), "width": pl.col("width"), "height": pl.col("height"),
    }  # fmt: skip
    return rows.select(expression.cast(MEASURED[name]).alias(name) for name, expression in columns.items())


@dataclass(frozen=True)
class Lengths:
    """Tokens: the mean, the shortest length that so many per cent of rows do not exceed, and the longest; 0 without rows."""

    mean: float
    p50: int
    p95: int
    p99: int
    max: int


@dataclass(frozen=True)
class TokenLengths:
    """The lengths of a config's rows.

    Attributes:
        rows: how many.
        exact, method: whether the trainee's tokenizer counted, and how.
        prompt: with the chat's form and pictures.
        completion: the longest of each row, with the token that ends it.
        total: prompt and completion.
        max_length, max_prompt_length, max_completion_length: a multiple of 256 that none exceeds; estimates have a margin.
    """

    rows: int
    exact: bool
    method: str
    prompt: Lengths
    completion: Lengths
    total: Lengths
    max_length: int
    max_prompt_length: int
    max_completion_length: int

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)


class _Histogram:
    """How often each length came."""

    def __init__(self) -> None:
        self._rows: Counter[int] = Counter()

    def add(self, lengths: pl.Series) -> None:
        counted = lengths.alias("length").value_counts(name="rows")
        self._rows.update(dict(zip(counted["length"], counted["rows"], strict=True)))

    def lengths(self) -> Lengths:
        rows, ordered = self._rows.total(), sorted(self._rows.items())
        if not rows:
            return Lengths(0.0, 0, 0, 0, 0)
        mean = sum(length * count for length, count in ordered) / rows
        reached = []
        for percent in (50, 95, 99):
            wanted, passed = -(-rows * percent // 100), 0
            for length, count in ordered:
                passed += count
                if passed >= wanted:
                    reached.append(length)
                    break
        return Lengths(round(mean, 1), *reached, ordered[-1][0])


class TokenLengthMeasure:
    """Adds up the lengths of a config's rows.

    Args:
        counter: counts a text's tokens.
        limits: between which the trainee resizes pictures.
    """

    def __init__(self, counter: TokenCounter, limits: PixelLimits = QWEN2_5_VL_PIXELS) -> None:
        self._counter, self._limits = counter, limits
        self._prompt, self._completion, self._total = _Histogram(), _Histogram(), _Histogram()
        self._rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take some rows, as :func:`measured_rows` gives them."""
        if not rows.height:
            return
        chat, count = self._counter.chat, self._counter.count
        pictures = pl.col("pictures") * (chat.picture + picture_tokens(pl.col("width"), pl.col("height"), self._limits))
        turns = chat.prompt + chat.turn * (pl.col("turns") - 1)
        prompt = count(rows["prompt"]) + rows.select((turns + pictures.fill_null(0)).alias("added"))["added"]
        each = rows.select("completions").with_row_index().explode("completions", empty_as_null=True).drop_nulls()
        each = each.with_columns(count(each["completions"]).alias("tokens") + chat.completion)
        longest = each.group_by("index").agg(pl.col("tokens").max())
        completion = rows.select("turns").with_row_index().join(longest, on="index", how="left", maintain_order="left")
        completion = completion["tokens"].fill_null(0)
        self._prompt.add(prompt)
        self._completion.add(completion)
        self._total.add(prompt + completion)
        self._rows += rows.height

    def summary(self) -> TokenLengths:
        """The lengths of all rows so far."""
        prompt, completion, total = (one.lengths() for one in (self._prompt, self._completion, self._total))
        margin = 0 if self._counter.exact else ESTIMATE_MARGIN
        limits = (_rounded_up(one.max * (1 + margin)) for one in (total, prompt, completion))
        return TokenLengths(
            self._rows, self._counter.exact, self._counter.method, prompt, completion, total, *limits
        )  # fmt: skip


def grpo_length(completion_lengths: Iterable[int]) -> int:
    """``max_completion_length`` for prompts without completions: what the longest right one elsewhere takes.

    Args:
        completion_lengths: the ``max_completion_length`` of the SFT configs of the same stage.
    """
    return max(completion_lengths, default=MULTIPLE)


def _rounded_up(tokens: float) -> int:
    """The multiple of 256 from ``tokens`` up, at least one."""
    return max(1, int(-(-tokens // MULTIPLE))) * MULTIPLE
