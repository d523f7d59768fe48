"""A completion as a row of ``generations``: what was asked, what came back, who paid, what it cost."""

import json
import re
from typing import Any

import polars as pl

from lgt_assets.engines.base import Completion, ModelIdentity, Request, sampling_fields
from lgt_assets.engines.journal import Record, encode_record

_KEY = re.compile(r"[0-9a-f]{64}")
COLUMNS: dict[str, Any] = {
    "request_key": pl.String, "asset": pl.String, "role": pl.String, "engine": pl.String, "model": pl.String,
    "revision": pl.String, "template_hash": pl.String, "prompt": pl.String, "prefix": pl.String, "sampling": pl.String,
    "seed": pl.Int64, "sample_index": pl.Int64, "text": pl.String, "finish_reason": pl.String, "prompt_tokens": pl.Int64,
    "cached_tokens": pl.Int64, "completion_tokens": pl.Int64, "seconds": pl.Float64,
}  # fmt: skip


def rendered_prompt(request: Request) -> str:
    """The messages as JSON: role, text, sha256s of the pictures."""
    messages = [
        {"role": message.role, "text": message.text, "images": [image.sha256 for image in message.images]}
        for message in request.messages
    ]
    return _storable(json.dumps(messages, ensure_ascii=False))


def completion_record(
    request: Request, completion: Completion, *, asset: str, role: str, engine_kind: str, identity: ModelIdentity
) -> Record:
    """The row of ``generations`` (less shard and ordinal) that keeps ``completion``."""
    return {
        "request_key": completion.request_key,
        "asset": asset,
        "role": role,
        "engine": engine_kind,
        "model": identity.name,
        "revision": identity.revision,
        "template_hash": request.template_hash,
        "prompt": rendered_prompt(request),
        "prefix": _storable(request.prefix),
        "sampling": _storable(json.dumps(sampling_fields(request.sampling), ensure_ascii=False, sort_keys=True)),
        "seed": request.seed,
        "sample_index": request.sample_index,
        "text": _storable(completion.text),
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "cached_tokens": completion.cached_tokens,
        "completion_tokens": completion.completion_tokens,
        "seconds": completion.seconds,
    }


def _storable(text: str) -> str:
    """Half of a surrogate pair, which JSON can smuggle in, fits in no UTF-8 column: it becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def preferred(one: Record | None, other: Record) -> Record:
    """The same of two records with one key, in whatever order they come."""
    return other if one is None else min(one, other, key=_rank)


def _rank(record: Record) -> tuple[str, str, str, bytes]:
    return record["text"], record["finish_reason"], record["asset"], encode_record(record)


def is_whole(record: Record) -> bool:
    """Whether a record has just the columns of a completion, and a key."""
    return record.keys() == COLUMNS.keys() and _KEY.fullmatch(str(record["request_key"])) is not None
