"""Reads the rows of a manifest file lazily, whatever its format; says what a row holds, not whether it is right."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from lgt_assets.errors import SourceError
from lgt_assets.sources.records import RowRejected, storable

REQUIRED = ("image", "caption", "boxes")
_BATCH = 1024


@dataclass(frozen=True)
class ManifestRow:
    """Row ``number`` (from 1; in JSON Lines the line, elsewhere the data row), its text, and its value or what broke it."""

    number: int
    raw: str
    value: object = None
    rejected: RowRejected | None = None


def read_json_lines(path: Path) -> Iterator[ManifestRow]:
    """One row per line; blank lines are passed over."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            raw = line.decode("utf-8", "backslashreplace").strip()
            try:
                yield ManifestRow(number, raw, value=json.loads(line.decode("utf-8")))
            except UnicodeDecodeError as error:
                problem = RowRejected("bad_encoding", "", f"not valid UTF-8 ({error.reason}); save the file as UTF-8")
                yield ManifestRow(number, raw, rejected=problem)
            except (ValueError, RecursionError) as error:
                problem = RowRejected("bad_json", "", f"not one JSON object on one line ({error})")
                yield ManifestRow(number, raw, rejected=problem)


def read_csv(path: Path) -> Iterator[ManifestRow]:
    """One row per record below the header; ``boxes`` is JSON text, an empty cell is an absent field."""
    # Bytes that are no UTF-8 become lone surrogates, which the check of each text finds: one bad row stays one bad row.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file, restkey="(extra cells)", strict=True)
        try:
            columns = reader.fieldnames or []
        except csv.Error as error:
            raise SourceError(f"{path}: the header cannot be read ({error})") from error
        _require_columns(path, list(columns))
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield ManifestRow(number, "", rejected=RowRejected("bad_csv", "", f"the row cannot be read ({error})"))
                continue
            yield _tabular_row(number, {name: value for name, value in cells.items() if value not in ("", None)})


def read_parquet(path: Path) -> Iterator[ManifestRow]:
    """One row per row, some at a time; ``boxes`` is a list of structs, or JSON text."""
    try:
        frame = pl.scan_parquet(path)
        _require_columns(path, frame.collect_schema().names())
        height = frame.select(pl.len()).collect().item()
        for start in range(0, height, _BATCH):
            for offset, cells in enumerate(frame.slice(start, _BATCH).collect().iter_rows(named=True), start=1):
                yield _tabular_row(start + offset, {name: value for name, value in cells.items() if value is not None})
    except (PolarsError, OSError) as error:
        raise SourceError(f"{path} cannot be read as Parquet: {error}") from error


READERS = {".jsonl": read_json_lines, ".ndjson": read_json_lines, ".csv": read_csv, ".parquet": read_parquet}


def _require_columns(path: Path, columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise SourceError(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(columns) or 'none'}")


def _tabular_row(number: int, cells: dict[str, object]) -> ManifestRow:
    raw = storable(json.dumps(cells, ensure_ascii=False, default=str))
    cells = {
        "caption": None
    } | cells  # the column is there, or the file was refused: an empty cell says that there is none
    if isinstance(cells.get("boxes"), str):
        try:
            cells = cells | {"boxes": json.loads(str(cells["boxes"]))}
        except (ValueError, RecursionError) as error:
            return ManifestRow(number, raw, rejected=RowRejected("bad_json", "boxes", f"boxes is not JSON ({error})"))
    return ManifestRow(number, raw, value=cells)
