"""How many tokens of a trainee a text has: counted by its tokenizer, or estimated from characters, cautiously."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from lgt_assets.errors import SettingsError
from lgt_assets.release.chat_tokens import QWEN2_5_VL_CHAT, ChatTokens, chat_tokens
from lgt_assets.release.picture_tokens import QWEN2_5_VL_PIXELS, PixelLimits, read_pixel_limits

TOKENIZER_FILE = "tokenizer.json"
# Qwen2.5's tokenizer makes 4.6 characters a token of the traces that Qwen2.5-VL-7B and DeepSeek-R1-Distill-Qwen-32B wrote about
# three DOCCI pictures, and 4.07 of the worst among 960.
CHARACTERS_PER_TOKEN = 3.0
FEWEST_TOKENS, FEWEST_COMPLETIONS, QUANTILE = 64, 100, 0.01
_SHORT_TEXT = 8  # a short text may be all punctuation
_TEXTS_AT_ONCE = 1024


class TokenCounter(Protocol):
    """Counts tokens.

    Attributes:
        exact: whether the trainee's own tokenizer counts.
        method: how it counts; for people.
        chat: what the chat's form adds.
    """

    exact: bool
    method: str
    chat: ChatTokens

    def count(self, texts: pl.Series) -> pl.Series:
        """Tokens of each text (strings without nulls), without those of the chat's form."""
        ...


@dataclass(frozen=True)
class Estimate:
    """An estimate that is to be too high: so many characters a token; digits and bytes of other scripts are a token each."""

    characters_per_token: float = CHARACTERS_PER_TOKEN
    method: str = f"estimated: {CHARACTERS_PER_TOKEN:g} characters a token"
    exact: bool = False
    chat: ChatTokens = QWEN2_5_VL_CHAT

    def count(self, texts: pl.Series) -> pl.Series:
        """See :class:`TokenCounter`. Never more than one token a byte, which byte-level tokenizers cannot exceed."""
        characters, size = texts.str.len_chars().cast(pl.Int64), texts.str.len_bytes().cast(pl.Int64)
        digits = texts.str.count_matches("[0-9]").cast(pl.Int64)
        words = ((characters - digits) / self.characters_per_token).ceil().cast(pl.Int64)
        estimated = words + digits + _SHORT_TEXT
        # A character that is not ASCII has one byte more or several, so that it has at most twice as many bytes as these.
        estimated += 2 * (size - characters)
        return pl.select(pl.min_horizontal(estimated, size)).to_series()


def estimate_from(generations: pl.LazyFrame) -> Estimate:
    """The estimate by what models wrote: characters a token in the first hundredth of a model's completions, the lowest model's.

    It makes the default more cautious and never less: what wrote is not what will be trained, and its tokens may be longer.
    Completions of 64 tokens and more count, of models with a hundred of them.

    Args:
        generations: rows of that table.
    """
    characters = pl.col("text").str.len_chars()
    by_model = (
        generations.filter(pl.col("completion_tokens") >= FEWEST_TOKENS)
        .group_by("model")
        .agg(
            (characters / pl.col("completion_tokens")).quantile(QUANTILE, "lower").alias("ratio"),
            pl.len().alias("rows"),
        )
        .filter(pl.col("rows") >= FEWEST_COMPLETIONS)
        .sort("ratio", "model")
        .collect(engine="streaming")
    )
    if not by_model.height or by_model["ratio"][0] >= CHARACTERS_PER_TOKEN:
        return Estimate()
    model, ratio, rows = by_model.row(0)
    ratio = max(ratio, 1.0)
    return Estimate(ratio, f"estimated: {ratio:.2f} characters a token, as in {model}'s {rows:,} completions")


class Tokenized:
    """Counted by a tokenizer as ``tokenizers`` reads it.

    Args:
        path: a model's folder, or its ``tokenizer.json``.

    Raises:
        SettingsError: there is no such file, it is none, or ``tokenizers`` is not installed.
    """

    exact = True

    def __init__(self, path: Path) -> None:
        file = path / TOKENIZER_FILE if path.is_dir() else path
        if not file.is_file():
            raise SettingsError(
                f"release.tokenizer: there is no {file.absolute()}; give a model's folder or its {TOKENIZER_FILE}"
            )
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise SettingsError("release.tokenizer needs the library tokenizers: pip install tokenizers") from error
        try:
            text = file.read_text(encoding="utf-8")
            json.loads(text)
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # tokenizers raises nothing more special
            raise SettingsError(f"release.tokenizer: {file} cannot be read as a tokenizer: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.chat, told = chat_tokens(file.parent, self._length)
        # By its content, as the folder has another name on another machine.
        self.method = f"counted by {TOKENIZER_FILE} {hashlib.sha256(text.encode()).hexdigest()[:12]}, {told}"

    def _length(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def count(self, texts: pl.Series) -> pl.Series:
        """See :class:`TokenCounter`."""
        lengths: list[int] = []
        for some in texts.to_frame().iter_slices(_TEXTS_AT_ONCE):
            encoded = self._tokenizer.encode_batch_fast(some.to_series().to_list(), add_special_tokens=False)
            lengths += map(len, encoded)
        return pl.Series(lengths, dtype=pl.Int64)


def token_counter(tokenizer: Path | None, generations: pl.LazyFrame) -> tuple[TokenCounter, PixelLimits]:
    """What counts a release's tokens, and the limits of its pictures: of the profile's ``release.tokenizer``, else estimated.

    Args:
        tokenizer: a model's folder, its ``tokenizer.json``, or None.
        generations: rows of that table, which the estimate is made more cautious by.

    Raises:
        SettingsError: the tokenizer, its chat template or its limits cannot be read.
    """
    if tokenizer is None:
        return estimate_from(generations), QWEN2_5_VL_PIXELS
    return Tokenized(tokenizer), read_pixel_limits(tokenizer if tokenizer.is_dir() else tokenizer.parent)
