"""A completion as a row of ``generations``: what was asked, what came back, who paid, what it cost."""

import json
import re
from typing import Any

import polars as pl

from lgt_assets.engines.base import Completion, ModelIdentity, Request, Sampling, sampling_fields
from lgt_assets.engines.journal import Record, encode_record, framed

_KEY = re.compile(r"[0-9a-f]{64}")
_COMPLETION = ("text", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "seconds", "endpoint")
_SAMPLING_JSON = "_sampling_json"
_ENDPOINT = "endpoint"  # in a record only where there is one: records of before there were any stay what they are
_quoted = json.encoder.encode_basestring  # what JSONEncoder(ensure_ascii=False) makes of a text, without the way there
COLUMNS: dict[str, Any] = {
    "request_key": pl.String, "asset": pl.String, "role": pl.String, "engine": pl.String, "endpoint": pl.String,
    "model": pl.String, "revision": pl.String, "template_hash": pl.String, "prompt": pl.String, "prefix": pl.String,
    "sampling": pl.String, "seed": pl.Int64, "sample_index": pl.Int64, "text": pl.String, "finish_reason": pl.String,
    "prompt_tokens": pl.Int64, "cached_tokens": pl.Int64, "completion_tokens": pl.Int64, "seconds": pl.Float64,
}  # fmt: skip


def rendered_prompt(request: Request) -> str:
    """The messages as JSON: role, text, sha256s of the pictures."""
    turns = [
        f'{{"role": {_quoted(message.role)}, "text": {_quoted(message.text)}, '
        f'"images": [{", ".join([_quoted(image.sha256) for image in message.images])}]}}'
        for message in request.messages
    ]
    return _storable(f"[{', '.join(turns)}]")


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
        "sampling": _sampling_json(request.sampling),
        "seed": request.seed,
        "sample_index": request.sample_index,
        "text": _storable(completion.text),
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "cached_tokens": completion.cached_tokens,
        "completion_tokens": completion.completion_tokens,
        "seconds": float(completion.seconds),
    } | ({} if completion.endpoint is None else {_ENDPOINT: completion.endpoint})


def completion_of(record: Record) -> Completion:
    """The completion that a record keeps."""
    return Completion(record["request_key"], **{name: record.get(name) for name in _COMPLETION})


def encode_completion(record: Record) -> bytes:
    """What :func:`~lgt_assets.engines.journal.encode_record` makes of a record by :func:`completion_record`, in half its time."""
    endpoint = "" if record.get(_ENDPOINT) is None else f'"endpoint":{_quoted(record[_ENDPOINT])},'
    return framed(
        f'{{"asset":{_quoted(record["asset"])},"cached_tokens":{record["cached_tokens"]:d},'
        f'"completion_tokens":{record["completion_tokens"]:d},{endpoint}"engine":{_quoted(record["engine"])},'
        f'"finish_reason":{_quoted(record["finish_reason"])},"model":{_quoted(record["model"])},'
        f'"prefix":{_quoted(record["prefix"])},"prompt":{_quoted(record["prompt"])},'
        f'"prompt_tokens":{record["prompt_tokens"]:d},"request_key":{_quoted(record["request_key"])},'
        f'"revision":{_quoted(record["revision"])},"role":{_quoted(record["role"])},'
        f'"sample_index":{record["sample_index"]:d},"sampling":{_quoted(record["sampling"])},'
        f'"seconds":{record["seconds"]!r},"seed":{record["seed"]:d},'
        f'"template_hash":{_quoted(record["template_hash"])},"text":{_quoted(record["text"])}}}'
    )


def encode_stored(record: Record) -> bytes:
    """A record that was read back, as :func:`encode_completion` made it; it may hold what no completion does."""
    return encode_record({name: value for name, value in record.items() if name != _ENDPOINT or value is not None})


def _sampling_json(sampling: Sampling) -> str:
    """Kept beside the fields of the value (by equality would not do: 1 == 1.0), which all requests of a role share."""
    known = sampling.__dict__.get(_SAMPLING_JSON)
    if known is None:
        known = _storable(json.dumps(sampling_fields(sampling), ensure_ascii=False, sort_keys=True))
        sampling.__dict__[_SAMPLING_JSON] = known
    return known


def _storable(text: str) -> str:
    """Half of a surrogate pair, which JSON can smuggle in, fits in no UTF-8 column: it becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def preferred(one: Record | None, other: Record) -> Record:
    """The same of two records with one key, in whatever order they come."""
    return other if one is None else min(one, other, key=_rank)


def _rank(record: Record) -> tuple[str, str, str, bytes]:
    return record["text"], record["finish_reason"], record["asset"], encode_stored(record)


def is_whole(record: Record) -> bool:
    """Whether a record has just the columns of a completion (those made in this process name no endpoint), and a key."""
    return record.keys() | {_ENDPOINT} == COLUMNS.keys() and _KEY.fullmatch(str(record["request_key"])) is not None
