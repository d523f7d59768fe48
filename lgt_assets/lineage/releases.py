"""Which releases a row is in: looked up in their files where those are few enough, and said where they are not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.delta_files import TableFolder
from lgt_assets.lineage.declarations import KEYS

MOST_RELEASES = 5
MOST_ROWS = 3_000_000
# As release.configs has it; that module needs the settings, which a command that looks at one row does without.
TABLE_BY_PREFIX = {"sft": "sft_mix", "dpo": "preference_pairs", "rl": "rl_prompts"}
PICTURES = "pictures.parquet"


@dataclass(frozen=True)
class InRelease:
    """What a release holds of the rows asked for: ids by file; ``note`` says what could not be looked up."""

    release_id: str
    found: dict[str, tuple[str, ...]]
    note: str = ""


def releases_with(folder: TableFolder, ids: Mapping[str, list[str]], split: str | None) -> list[InRelease]:
    """What the newest releases hold of rows.

    Only the column of ids is read, of the files of the picture's split; of at most ``MOST_RELEASES`` releases and
    ``MOST_ROWS`` rows in all.

    Args:
        folder: the tables.
        ids: ids by table; tables that no release holds are passed over.
        split: of the picture; None looks at every split.
    """
    if not folder.exists("release"):
        return []
    table = folder.open("release")
    rows = table.scan(table.slices).collect().to_dicts() if table.slices else []
    rows.sort(key=lambda row: row["number"], reverse=True)
    left, found = MOST_ROWS, []
    for row in rows[:MOST_RELEASES]:
        files = [
            one
            for one in row["files"]
            if split in (None, one["split"]) and ids.get(_table(one["config"])) and one["rows"]
        ]
        left -= sum(one["rows"] for one in files)
        if left < 0:
            count = sum(one["rows"] for one in files)
            found.append(InRelease(row["release_id"], {}, f"not looked up: its files have {count:,} rows"))
            continue
        found.append(_look(row, files, ids, Path(folder.root).parent / "releases"))
    if len(rows) > MOST_RELEASES:
        found.append(InRelease("", {}, f"{len(rows) - MOST_RELEASES} older releases were not looked up"))
    return found


def _table(config: str) -> str:
    return TABLE_BY_PREFIX.get(config.split("_")[0], "")


def _look(row: dict, files: list[dict], ids: Mapping[str, list[str]], releases: Path) -> InRelease:
    places = (Path(row["uri"]), releases / row["release_id"])  # a state folder that was moved keeps its releases
    home = next((place for place in places if place.is_dir()), None)
    if home is None:
        return InRelease(row["release_id"], {}, f"not looked up: its files are no longer at {row['uri']}")
    found, notes = {}, []
    for name, key, wanted in _wanted(files, ids):
        try:
            there = pl.scan_parquet(home / name).filter(pl.col(key).is_in(wanted)).select(key).collect()[key]
        except (OSError, pl.exceptions.PolarsError) as error:
            notes.append(f"{name} not looked up: {type(error).__name__}")
            continue
        if len(there):
            found[name] = tuple(there)
    return InRelease(row["release_id"], found, "; ".join(notes))


def _wanted(files: list[dict], ids: Mapping[str, list[str]]) -> Iterator[tuple[str, str, list[str]]]:
    """(file, its column of ids, ids to look for)."""
    if ids.get("images"):
        yield PICTURES, KEYS["images"], ids["images"]
    for one in files:
        table = _table(one["config"])
        yield one["path"], KEYS[table], ids[table]
