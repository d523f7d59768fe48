"""What the asset ``release`` does, apart from Dagster: facts and exclusions gathered, rows written, the row kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.assets.picture_hashes import hashes_of
from lgt_assets.audit.scores import TABLE as AUDITS
from lgt_assets.audit.scores import audit_summary
from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import ReleaseError
from lgt_assets.release.benchmarks import read_benchmarks
from lgt_assets.release.card import CardFacts
from lgt_assets.release.companions import card_facts
from lgt_assets.release.configs import CONFIGS, RELEASE_TABLES, Draw
from lgt_assets.release.exclusions import exclusions, rows_with_special_texts, without
from lgt_assets.release.facts import FACT_TABLES, RECORD_TABLES, release_facts
from lgt_assets.release.formats.rows import ROWS
from lgt_assets.release.making import Draft, make_release, release_row
from lgt_assets.release.models_used import template_names
from lgt_assets.release.options import Options
from lgt_assets.release.pins import EXCLUSIONS, TABLE
from lgt_assets.release.token_counters import token_counter
from lgt_assets.release.token_lengths import TokenLengthMeasure, measured_rows
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile
from lgt_assets.storage import DeltaStore

SHOWN = 10


@dataclass(frozen=True)
class Kept:
    """A release that was made: its row in the table ``release``, and what its card is written from."""

    row: dict
    card: CardFacts


def inputs_of(store: DeltaStore) -> dict[str, int]:
    """The version of every table that a release's rows or its card are made from, by table; of those that are there."""
    tables = dict.fromkeys((*RELEASE_TABLES, *FACT_TABLES, *RECORD_TABLES, AUDITS))
    return {table: store.version(table) for table in tables if table in RELEASE_TABLES or store.exists(table)}


def require_unchanged(store: DeltaStore, versions: Mapping[str, int], shards: Sequence[str]) -> None:
    """What was checked must be what is pinned.

    Raises:
        ReleaseError: a table has other rows of a shard now than at its version.
    """
    folder = TableFolder(store.root, store.storage_options)
    for table in RELEASE_TABLES:
        now, then = folder.open(table), folder.open(table, versions[table])
        held, pinned = ({one.shard: one.files for one in files.slices} for files in (now, then))
        changed = [shard for shard in shards if held.get(shard) != pinned.get(shard)]
        if changed:
            names = ", ".join(changed[:SHOWN])
            raise ReleaseError(f"{table} of {names} was written while the release was being checked: release again")


def kept_release(
    store: DeltaStore, profile: Profile, shards: Sequence[str], *, root: Path, code_version: str,
    versions: Mapping[str, int] | None = None,
) -> Kept:  # fmt: skip
    """Make a release, and keep its row; a release that was made before keeps the row it has.

    Args:
        versions: see :func:`inputs_of`; by default the tables as they stand.

    Raises:
        LgtError: a benchmark's manifest is wrong, a picture or a file is gone, or fewer rows are there than are to be drawn.
    """
    versions = inputs_of(store) if versions is None else versions
    scans = {
        table: store.scan(table, shards=shards, version=versions.get(table)) for table in (*FACT_TABLES, *RECORD_TABLES)
    }
    whole = {table: scans[table] for table in RELEASE_TABLES}
    excluded = _excluded(store, profile, shards, whole)
    draft = Draft(versions, tuple(shards), Draw(profile.release.sizes, profile.release.seed), excluded)
    lengths = Lengths(profile, scans["generations"])
    facts = release_facts(
        scans, without(whole, excluded), profile, template_names=template_names(profile),
        audits=audit_summary(store.read(AUDITS, shards=shards, version=versions.get(AUDITS))), shards=len(shards),
    )  # fmt: skip
    release, written = make_release(
        root, TableFolder(store.root, store.storage_options), draft, lambda *_: facts | {"token_lengths": lengths.told()},
        look=lengths.add,
    )  # fmt: skip
    card = card_facts(release, Options(ROWS), written)
    held = store.read(TABLE)
    number, own = (held["number"].max() or 0) + 1, pl.col("release_id") == release.release_id
    if held.filter(own).height:
        return Kept(_made_again(store, held, release.release_id, number), card)
    uri = str(root / release.release_id)
    row = release_row(release, written, number=number, uri=uri, code_version=code_version)
    named = excluded.with_columns(pl.lit(release.release_id).alias("release_id"))
    if named.height:
        store.append(EXCLUSIONS, named.select(frame(EXCLUSIONS, []).columns))
    store.append(TABLE, frame(TABLE, [row]))
    return Kept(row, card)


def _made_again(store: DeltaStore, held: pl.DataFrame, release_id: str, number: int) -> dict:
    """The row that a release has; where others came after it, it is the latest again."""
    own = pl.col("release_id") == release_id
    if held.filter(own)["number"].max() + 1 < number:
        held = held.with_columns(pl.when(own).then(number).otherwise("number").alias("number"))
        store.rewrite(TABLE, lambda: iter([held]), shards=[], metadata={"lgt_asset": TABLE})
    return held.filter(own).row(0, named=True)


class Lengths:
    """Lengths in tokens of every config's rows, of both splits, measured as they pass."""

    def __init__(self, profile: Profile, generations: pl.LazyFrame):
        counter, limits = token_counter(profile.release.tokenizer, generations)
        self._measures = {name: TokenLengthMeasure(counter, limits) for name in CONFIGS}
        self._max_pixels = limits.max_pixels

    def add(self, config: str, rows: pl.DataFrame) -> None:
        """Take some rows of a config."""
        self._measures[config].add(measured_rows(rows, CONFIGS[config].task))

    def told(self) -> dict[str, dict]:
        """By config: :meth:`TokenLengths.as_dict`, and the ``max_pixels`` that larger pictures were counted as."""
        pixels = {"max_pixels": self._max_pixels}
        return {name: measure.summary().as_dict() | pixels for name, measure in self._measures.items()}


def _excluded(
    store: DeltaStore, profile: Profile, shards: Sequence[str], whole: dict[str, pl.LazyFrame]
) -> pl.DataFrame:
    benchmarks = read_benchmarks(profile.release.decontaminate)
    hashes = hashes_of(store, list(shards) if benchmarks.pictures.height else [])
    found = exclusions(whole, benchmarks, hashes, profile)
    return pl.concat([found, rows_with_special_texts(without(whole, found))])
