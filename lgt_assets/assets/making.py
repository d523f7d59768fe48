"""Making one shard of one asset: rows in batches, validated and committed as a stream, with all that is known about them."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict

import polars as pl

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.upstream import ROW_COUNT
from lgt_assets.errors import EngineError
from lgt_assets.schemas import frame
from lgt_assets.spool import Spool
from lgt_assets.synthesis.planned import Outcome, row_spool
from lgt_assets.validation import validate_batches

Make = Callable[[Shard], Outcome]


def make_shard(shard: Shard, make: Make, commit: dict[str, str]) -> dict:
    """Make, validate and write one shard; what several assets share is written before the asset's own table.

    Returns:
        Metadata of the materialization.

    Raises:
        LgtError: nothing of the shard's own table is written; completions and failed requests are kept.
    """
    started = time.monotonic()
    try:
        outcome = make(shard)
        rows = _batches(shard.asset, outcome.rows)
        validate_batches(shard.asset, rows)
        _replace(shard, "rejections", _batches("rejections", outcome.rejections), commit)
        _replace_failures(shard, commit)
        if shard.responses is not None:
            _replace(shard, "generations", _generations(shard), commit)
        funnel = _funnel_row(shard, outcome, time.monotonic() - started)
        _replace(shard, "funnel", lambda: iter([frame("funnel", [funnel])]), commit)
        delta_version = shard.store.replace(shard.asset, rows, shard=shard.key, metadata=commit)
    except EngineError:
        if len(shard.failures):
            _replace_failures(shard, commit)
        raise
    finally:
        shard.close()
    # it brings Pillow, for which not every reload of the code should pay
    from lgt_assets.observe.materialization import shard_metadata

    reasons = (rejection["reason"] for rejection in outcome.rejections)
    return {ROW_COUNT: funnel["accepted"]} | outcome.notes | shard_metadata(
        shard.asset, funnel=funnel, reasons=reasons, delta_version=delta_version, batches=rows(),
        find=lambda table, key, values: _find(shard, table, key, values),
    )  # fmt: skip


def _find(shard: Shard, table: str, key: str, values: Collection[str]) -> list[dict]:
    """Rows of a table of the shard by their key, for what is shown: of those read for it, else as they are stored."""
    rows = shard.upstream[table].lazy() if table in shard.upstream else shard.store.scan(table, shards=[shard.key])
    return rows.filter(pl.col(key).is_in(sorted(values))).collect().to_dicts()


def _batches(table: str, rows: Spool) -> Callable[[], Iterator[pl.DataFrame]]:
    """Frames of ``table``, made at the first call and kept on disk: to check, compare, write and describe them takes five."""
    made: list[Spool] = []

    def batches() -> Iterator[pl.DataFrame]:
        if not made:
            frames = row_spool(batch_rows=1)
            for batch in rows.batches():
                frames.append(frame(table, batch))
            made.append(frames)  # only whole: what fails in between is made anew
        return iter(made[0])

    return batches


def _replace(shard: Shard, table: str, batches: Callable[[], Iterator[pl.DataFrame]], commit: dict[str, str]) -> None:
    shard.store.replace(table, batches, shard=shard.key, asset=shard.asset, metadata=commit)


def _replace_failures(shard: Shard, commit: dict[str, str]) -> None:
    if shard.responses is None and not shard.store.exists("failures"):
        return
    rows = row_spool()
    for row in shard.failures:
        rows.append(row | {"shard": shard.key, "asset": shard.asset, "ordinal": len(rows)})
    _replace(shard, "failures", _batches("failures", rows), commit)


def _generations(shard: Shard) -> Callable[[], Iterator[pl.DataFrame]]:
    """What the asset paid for in this shard, read from the response store some rows at a time."""
    names = frame("generations", []).columns

    def batches() -> Iterator[pl.DataFrame]:
        assert shard.responses is not None
        ordinal = 0
        for rows in shard.responses.frames(shard.asset):
            numbers = pl.int_range(ordinal, ordinal + rows.height, dtype=pl.Int64, eager=True)
            yield rows.with_columns(shard=pl.lit(shard.key), ordinal=numbers).select(names)
            ordinal += rows.height

    return batches


def _funnel_row(shard: Shard, outcome: Outcome, seconds: float) -> dict:
    return {
        "shard": shard.key, "ordinal": 0, "asset": shard.asset, "asked": outcome.asked, "parsed": outcome.parsed,
        "accepted": len(outcome.rows), "rejected": len(outcome.rejections),
    } | asdict(shard.usage) | {"seconds": seconds}  # fmt: skip
