"""What the asset ``release`` does, apart from Dagster: facts and exclusions gathered, rows written, the row kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from lgt_assets.assets.picture_hashes import hashes_of
from lgt_assets.audit.scores import audit_summary
from lgt_assets.delta_files import TableFolder
from lgt_assets.release.benchmarks import read_benchmarks
from lgt_assets.release.configs import RELEASE_TABLES, Draw
from lgt_assets.release.exclusions import counted, exclusions, rows_with_special_texts, without
from lgt_assets.release.making import Draft, make_release, release_row
from lgt_assets.release.pins import EXCLUSIONS, TABLE
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.pair_lengths import pair_lengths


def kept_release(store: DeltaStore, profile: Profile, shards: Sequence[str], *, root: Path, code_version: str) -> dict:
    """Make a release of the tables as they stand, and keep its row; a release that was made before keeps the row it has.

    Returns:
        The row of the table ``release``.

    Raises:
        LgtError: a benchmark's manifest is wrong, a picture or a file is gone, or fewer rows are there than are to be drawn.
    """
    versions = {table: store.version(table) for table in RELEASE_TABLES}
    whole = {table: store.scan(table, shards=shards, version=version) for table, version in versions.items()}
    excluded = _excluded(store, profile, shards, whole)
    draft = Draft(versions, tuple(shards), Draw(profile.release.sizes, profile.release.seed), excluded)
    facts = _facts(store, profile, shards, without(whole, excluded), excluded)
    release, written = make_release(root, TableFolder(store.root, store.storage_options), draft, lambda *_: facts)
    held = store.read(TABLE)
    known = held.filter(pl.col("release_id") == release.release_id)
    if known.height:
        return known.row(0, named=True)
    row = release_row(
        release,
        written,
        number=(held["number"].max() or 0) + 1,
        uri=str(root / release.release_id),
        code_version=code_version,
    )
    named = excluded.with_columns(pl.lit(release.release_id).alias("release_id"))
    if named.height:
        store.append(EXCLUSIONS, named.select(frame(EXCLUSIONS, []).columns))
    store.append(TABLE, frame(TABLE, [row]))
    return row


def _excluded(
    store: DeltaStore, profile: Profile, shards: Sequence[str], whole: dict[str, pl.LazyFrame]
) -> pl.DataFrame:
    benchmarks = read_benchmarks(profile.release.decontaminate)
    hashes = hashes_of(store, list(shards) if benchmarks.pictures.height else [])
    found = exclusions(whole, benchmarks, hashes, profile)
    return pl.concat([found, rows_with_special_texts(without(whole, found))])


def _facts(
    store: DeltaStore, profile: Profile, shards: Sequence[str], rows: Mapping[str, pl.LazyFrame], excluded: pl.DataFrame
) -> dict:
    return {
        "profile": profile.name, "excluded": counted(excluded), "pair_lengths": pair_lengths(rows["preference_pairs"]),
        "audits": audit_summary(store.read("audits", shards=shards)),
        "decontaminated_against": [path.name for path in profile.release.decontaminate],
    }  # fmt: skip
