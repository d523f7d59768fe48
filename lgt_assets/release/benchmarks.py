"""Benchmarks that a release must not overlap with, read from listed manifests: their pictures' hashes, their questions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from lgt_assets.errors import SourceError
from lgt_assets.release.perceptual import HASH_PATTERN, picture_hash
from lgt_assets.sources.inspection import read_picture
from lgt_assets.sources.manifest_rows import read_json_lines
from lgt_assets.sources.records import RowRejected

COLUMNS = ("image", "phash", "question")
_SCHEMA = {"value": pl.String, "where": pl.String}


@dataclass(frozen=True)
class Benchmarks:
    """What the manifests list: frames of ``value`` (a pHash; a question's text) and ``where`` (file and row)."""

    pictures: pl.DataFrame
    questions: pl.DataFrame


def read_benchmarks(paths: Sequence[Path]) -> Benchmarks:
    """Read manifests whose rows have ``image`` (a path, relative to the manifest) or ``phash``, and ``question``; some or all.

    A row that cannot be used is an error and is not passed over: an unread benchmark is contamination that nobody sees.

    Raises:
        SourceError: a manifest is missing or unreadable, or a row is wrong; the message names file, row, field, and what to do.
    """
    pictures: list[tuple[str, str]] = []
    questions: list[tuple[str, str]] = []
    for path in paths:
        for number, row in _rows(path):
            where = f"{path.name}, row {number}"
            try:
                values = _texts(row)
                if "phash" in values:
                    pictures.append((_hash(values["phash"]), where))
                elif "image" in values:
                    picture = path.parent / values["image"]
                    pictures.append((picture_hash(read_picture(picture), picture), where))
            except RowRejected as rejected:
                raise SourceError(
                    f"{path}, row {number}, {rejected.field or 'whole row'}: {rejected.detail}"
                ) from rejected
            if "question" in values:
                questions.append((values["question"], where))
    return Benchmarks(*(pl.DataFrame(rows, schema=_SCHEMA, orient="row") for rows in (pictures, questions)))


def _rows(path: Path) -> Iterator[tuple[int, object]]:
    """(number from 1, value) of every row."""
    if not path.is_file():
        raise SourceError(f"release.decontaminate: there is no manifest {path.absolute()}; give the path of a file")
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        for row in read_json_lines(path):
            if row.rejected is not None:
                raise SourceError(f"{path}, row {row.number}: {row.rejected.detail}") from row.rejected
            yield row.number, row.value
        return
    if suffix not in (".csv", ".parquet"):
        raise SourceError(f"{path}: a manifest of a benchmark ends in .jsonl, .ndjson, .csv or .parquet")
    try:
        frame = pl.read_csv(path, infer_schema=False) if suffix == ".csv" else pl.read_parquet(path)
    except (PolarsError, OSError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    yield from enumerate(frame.select(name for name in COLUMNS if name in frame.columns).iter_rows(named=True), start=1)


def _texts(row: object) -> dict[str, str]:
    """The row's known fields that say something."""
    if not isinstance(row, dict):
        raise RowRejected("bad_type", "", 'not an object; a row reads {"image": "pictures/1.jpg", "question": "…"}')
    values = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    for name, value in values.items():
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise RowRejected(
                "bad_type", name, f"{str(value)[:80]!r} is not a text; leave the field out where there is none"
            )
    if not values:
        raise RowRejected("missing_field", "", f"none of {', '.join(COLUMNS)} is given; name the columns so")
    return values


def _hash(text: str) -> str:
    if not re.match(HASH_PATTERN, text.lower()):
        raise RowRejected(
            "bad_type", "phash", f"{text[:80]!r} is not a pHash of 64 bits: 16 hexadecimal digits, as ImageHash writes"
        )
    return text.lower()
