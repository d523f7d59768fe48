"""What audits say of a table: verdicts into Delta, error rates with their intervals out."""

from pathlib import Path

import polars as pl

from lgt_assets.audit.verdicts import Verdict, read_verdicts
from lgt_assets.audit_vocabulary import AUDITED_TABLES, ERROR_KINDS
from lgt_assets.errors import ValidationError
from lgt_assets.identity import parse_row_id
from lgt_assets.lineage import KEYS
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.intervals import wilson_interval

TABLE = "audits"


def keep_verdicts(store: DeltaStore, path: Path) -> pl.DataFrame:
    """Put a file's verdicts into the table ``audits``; an auditor's later verdict on a row replaces the earlier one.

    Returns:
        All of ``audits`` afterwards.

    Raises:
        ValidationError: a line is wrong, or names a row that does not exist; nothing is kept then.
        NotFoundError: there is no such file.
    """
    verdicts = read_verdicts(path)
    _require_rows(store, path, verdicts)
    by_shard: dict[str, list[Verdict]] = {}
    for _, verdict in verdicts:
        by_shard.setdefault(parse_row_id(verdict.row_id).shard, []).append(verdict)
    for shard, own in by_shard.items():
        held = {(row["row_id"], row["auditor"]): row for row in store.read(TABLE, shards=[shard]).to_dicts()}
        held |= {(verdict.row_id, verdict.auditor): verdict.model_dump() for verdict in own}
        rows = [row | {"shard": shard, "ordinal": ordinal} for ordinal, (_, row) in enumerate(sorted(held.items()))]
        store.replace(TABLE, frame(TABLE, rows), shard=shard)
    return store.read(TABLE)


def _require_rows(store: DeltaStore, path: Path, verdicts: list[tuple[int, Verdict]]) -> None:
    """Every verdict must be about a row that exists."""
    held: dict[tuple[str, str], set[str]] = {}
    for number, verdict in verdicts:
        place = (verdict.table, parse_row_id(verdict.row_id).shard)
        if place not in held:
            held[place] = set(store.scan(place[0], shards=[place[1]]).select(KEYS[place[0]]).collect().to_series())
        if verdict.row_id not in held[place]:
            raise ValidationError(
                f"{path}, line {number}, row_id: {place[0]} has no row {verdict.row_id}; was the page made of other tables?"
            )


def audit_summary(audits: pl.DataFrame) -> dict[str, dict]:
    """Error rates by table, each a share of the rows judged with Wilson's interval (95 %).

    A row that several people judged counts once: wrong where at least half of them say so, and of every kind that one of
    them named.

    Args:
        audits: rows of ``audits``.

    Returns:
        By table, in the order of the graph: ``rows``, ``auditors``, ``wrong`` (rows), ``error_rate``, ``low``, ``high``,
        ``agreement`` (share of the rows with several auditors on which all agree, None without such rows), and ``kinds``:
        by error kind ``rows``, ``rate``, ``low``, ``high``. Tables without verdicts are left out.
    """
    return {table: _summary(own) for table in AUDITED_TABLES if (own := audits.filter(pl.col("table") == table)).height}


def _summary(audits: pl.DataFrame) -> dict:
    wrong = pl.col("verdict") == "wrong"
    rows = audits.group_by("row_id").agg(
        (wrong.mean() >= 0.5).alias("wrong"), pl.len().alias("auditors"), (wrong.n_unique() == 1).alias("agree"),
        pl.col("error_kind").drop_nulls().unique(),
    )  # fmt: skip
    several = rows.filter(pl.col("auditors") > 1)
    counts = {
        kind: rows.filter(pl.col("wrong") & pl.col("error_kind").list.contains(kind)).height for kind in ERROR_KINDS
    }
    return {
        "rows": rows.height, "auditors": audits["auditor"].n_unique(), "wrong": rows["wrong"].sum(),
        **_rate("error_rate", rows["wrong"].sum(), rows.height),
        "agreement": several["agree"].mean(),
        "kinds": {kind: {"rows": count, **_rate("rate", count, rows.height)} for kind, count in counts.items() if count},
    }  # fmt: skip


def _rate(name: str, count: int, rows: int) -> dict[str, float]:
    low, high = wilson_interval(count, rows)
    return {name: count / rows, "low": low, "high": high}
