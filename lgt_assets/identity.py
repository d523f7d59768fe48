"""Ids, seeds and splits: everything that must come out the same on every machine and at every run.

An id reads ``<letter>.<shard>.<16 hex>``: the letter names the table, the shard where to look, the hash what defines the
row. Nothing here depends on order, time or place.
"""

import hashlib
import json
import random
import re
from dataclasses import dataclass

from lgt_assets.errors import NotFoundError

TABLE_BY_LETTER = {
    "i": "images",
    "g": "grounded_objects",
    "q": "seed_questions",
    "c": "composed_questions",
    "d": "distilled_cots",
    "e": "expanded_traces",
    "p": "preference_pairs",
    "s": "sft_mix",
    "r": "rl_prompts",
    "x": "rejections",
}
LETTER_BY_TABLE = {table: letter for letter, table in TABLE_BY_LETTER.items()}
SHARD_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-\d{5}")
VALIDATION_SHARE = 0.05

# one encoder, since json.dumps builds a new one at each call with options
canonical_json = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode  # (value) -> its one JSON text
_ROW_ID = re.compile(rf"([a-z])\.({SHARD_KEY.pattern})\.([0-9a-f]{{16}})")


@dataclass(frozen=True)
class RowId:
    """A row id taken apart: the table it names, its shard, its 16 hexadecimal digits."""

    table: str
    shard: str
    digits: str


def digest(*parts: object) -> str:
    """sha256 (64 hex digits) of the parts' canonical JSON; equal parts, equal digest, on every machine."""
    return hashlib.sha256(canonical_json(parts).encode("utf-8", "surrogatepass")).hexdigest()


def row_id(table: str, shard: str, *defining: object) -> str:
    """The id of the row of ``table`` in ``shard`` that ``defining`` (JSON-able values) defines."""
    return f"{LETTER_BY_TABLE[table]}.{shard}.{digest(*defining)[:16]}"


def image_id(shard: str, sha256: str) -> str:
    """An image's id: its content's sha256 within its shard."""
    return f"{LETTER_BY_TABLE['images']}.{shard}.{sha256[:16]}"


def parse_row_id(text: str) -> RowId:
    """Take an id apart.

    Raises:
        NotFoundError: the text is not an id of any table.
    """
    match = _ROW_ID.fullmatch(text)
    if match is None or match[1] not in TABLE_BY_LETTER:
        raise NotFoundError(f"{text!r} is not a row id; one reads like q.scenes-00000.0123456789abcdef")
    return RowId(TABLE_BY_LETTER[match[1]], match[2], match[3])


def seed_of(*parts: object) -> int:
    """A seed in [0, 2**31) from a row's id and what it is for, e.g. ``seed_of(question_id, "vlm", sample_index)``."""
    return int(digest("seed", *parts)[:16], 16) % 2**31


def random_of(*parts: object) -> random.Random:
    """A generator seeded by :func:`seed_of`; the only source of randomness in synthesis."""
    return random.Random(seed_of(*parts))


def split_of(sha256: str) -> str:
    """``train`` or ``validation`` from a picture's sha256 alone, so that one picture in two sources never crosses splits."""
    return "validation" if int(sha256[:8], 16) / 2**32 < VALIDATION_SHARE else "train"
