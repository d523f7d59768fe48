"""Why a row came or went between two states of its shard, as far as the tables around it tell. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.differences.rows import KEY
from lgt_assets.identity import TABLE_BY_LETTER

REASON = "reason"
# What a completion is compared by, in this order: the first that no completion of its role has on the other side.
CAUSES = (
    ("template changed", ("template_hash",)),
    ("model changed", ("model", "revision")),
    ("sampling changed", ("sampling",)),
)
PROMPT = "prompt changed"
GONE = "completion not known"


@dataclass(frozen=True)
class Surroundings:
    """What the other tables say of one shard at one time; None where they cannot be read any more.

    Attributes:
        rejections: request_key, reason of what the table's asset rejected.
        generations: request_key, role, model, revision, template_hash, sampling of the completions that rows or rejections
            came from.
        parents: keys by table.
        code: version of the code that wrote the slice.
    """

    rejections: pl.DataFrame | None = None
    generations: pl.DataFrame | None = None
    parents: Mapping[str, pl.Series] = field(default_factory=dict)
    code: str = ""


def reasons(
    rows: pl.DataFrame, here: Surroundings, there: Surroundings, *, came: bool, parents: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """A reason for each row that is only on one side: ``key`` and ``reason``.

    The first that holds: it was (is now) rejected, with the reason; a row it names is new (gone); its completion was asked for
    with another template, model or sampling, or another prompt of the same template; the code that wrote the slice differs;
    else it was read or drawn otherwise from the same.

    Args:
        rows: ``key``; ``request_key`` where the table has it; columns that name other rows, as lists.
        here: the side that has the rows.
        there: the side that lacks them.
        came: whether ``here`` is the newer side.
        parents: by column of ``rows``, the tables whose keys it names.
    """
    found = [
        _rejected(rows, there, came=came),
        _parents(rows, there, came=came, parents=parents),
        _asked(rows, here, there),
    ]
    otherwise = "read or drawn otherwise"
    if here.code and there.code and here.code != there.code:
        old, new = (there.code, here.code) if came else (here.code, there.code)
        otherwise = f"code changed: {old} to {new}"
    told = rows.select(KEY)
    for number, reason in enumerate(found):
        told = told.join(reason.rename({REASON: f"{REASON} {number}"}), on=KEY, how="left")
    every = [pl.col(f"{REASON} {number}") for number in range(len(found))]
    return told.select(KEY, pl.coalesce(*every, pl.lit(otherwise)).alias(REASON))


_NOTHING = pl.DataFrame(schema={KEY: pl.String, REASON: pl.String})


def _rejected(rows: pl.DataFrame, there: Surroundings, *, came: bool) -> pl.DataFrame:
    """Rows whose completion was rejected on the other side; of several reasons of one completion, all are named."""
    if "request_key" not in rows.columns or there.rejections is None:
        return _NOTHING
    named = there.rejections.drop_nulls("request_key").group_by("request_key").agg(pl.col("reason").unique().sort())
    told = rows.select(KEY, "request_key").join(named, on="request_key")
    words = "was rejected: " if came else "rejected: "
    return told.select(KEY, pl.concat_str(pl.lit(words), pl.col("reason").list.join(" or ")).alias(REASON))


def _parents(
    rows: pl.DataFrame, there: Surroundings, *, came: bool, parents: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Rows that name a row which the other side lacks."""
    missing = []
    for column, tables in parents.items():
        keys = [there.parents[table] for table in tables if table in there.parents]
        if len(keys) < len(tables):  # a table that cannot be read any more accuses no row
            continue
        named = rows.select(KEY, pl.col(column).alias("id")).explode("id").drop_nulls()
        known = pl.concat(keys).unique().to_frame("id") if keys else pl.DataFrame(schema={"id": pl.String})
        lost = named.join(known, on="id", how="anti").unique(KEY, keep="first", maintain_order=True)
        table = pl.col("id").str.slice(0, 1).replace_strict(TABLE_BY_LETTER, default=None)
        words = pl.concat_str(pl.lit("parent new: " if came else "parent gone: "), table.fill_null(tables[0]))
        missing.append(lost.select(KEY, words.alias(REASON)))
    return pl.concat(missing).unique(KEY, keep="first", maintain_order=True) if missing else _NOTHING


def _asked(rows: pl.DataFrame, here: Surroundings, there: Surroundings) -> pl.DataFrame:
    """Rows whose completion the other side does not have: what was asked for differently."""
    if "request_key" not in rows.columns or here.generations is None or there.generations is None:
        return _NOTHING
    wanted = (
        rows.select(KEY, "request_key").drop_nulls("request_key").join(there.generations, on="request_key", how="anti")
    )
    told = wanted.join(here.generations, on="request_key", how="left")
    cause = pl.when(pl.col("role").is_null()).then(pl.lit(GONE))
    for number, (words, columns) in enumerate(CAUSES):
        known = there.generations.select("role", *columns).unique().with_columns(pl.lit(True).alias(f"known {number}"))
        told = told.join(known, on=["role", *columns], how="left")
        cause = cause.when(pl.col(f"known {number}").is_null()).then(pl.lit(words))
    return told.select(KEY, cause.otherwise(pl.lit(PROMPT)).alias(REASON))
