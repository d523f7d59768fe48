"""The funnel: what was asked, parsed, kept and rejected by reason, for each of the ten tables."""

from collections.abc import Iterable, Mapping

import polars as pl

from lgt_assets.audit.scores import audit_summary
from lgt_assets.costs import COUNTS, costs
from lgt_assets.storage import DeltaStore

REPORTED_TABLES = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts", "release",
)  # fmt: skip
_SLICE = ("shard", "asset")


def build_report(store: DeltaStore) -> dict:
    """The funnel of everything stored.

    Returns:
        ``{"tables": {NAME: {"rows", "asked", "parsed", "rejected": {REASON: n}}}}`` in data order. ``rows`` are counted in the
        tables; ``asked`` and ``parsed`` are sums over the shards as each was last made; `release` asks nothing. Where captions
        were generated or pictures have no boxes, ``pictures`` is what :func:`picture_counts` says. Where people have judged rows,
        ``audits`` is what :func:`lgt_assets.audit.scores.audit_summary` says of them; where models were asked,
        ``costs`` is what :func:`lgt_assets.costs.costs` says.
    """
    sums = store.scan("funnel").group_by("asset").agg(pl.col("asked").sum(), pl.col("parsed").sum()).collect()
    by_asset = {row["asset"]: row for row in sums.iter_rows(named=True)}
    rejected = store.scan("rejections").group_by("asset", "reason").len().sort("asset", "reason").collect()
    audits = audit_summary(store.read("audits"))
    pictures = picture_counts(store)
    return (
        {
            "tables": {
                table: {
                    "rows": store.scan(table).select(pl.len()).collect().item(),
                    "asked": by_asset.get(table, {}).get("asked", 0),
                    "parsed": by_asset.get(table, {}).get("parsed", 0),
                    "rejected": {reason: count for asset, reason, count in rejected.iter_rows() if asset == table},
                }
                for table in REPORTED_TABLES
            }
        }
        | ({"pictures": pictures} if any(pictures.values()) else {})
        | ({"audits": audits} if audits else {})
        | ({"costs": spent} if (spent := costs(store)) else {})
    )


def picture_counts(store: DeltaStore) -> dict[str, int]:
    """Pictures whose caption was generated, and pictures without a box in shards whose boxes were looked for."""
    looked_for = store.scan("funnel").filter(pl.col("asset") == "grounded_objects").select("shard")
    images = store.scan("images").join(looked_for, on="shard", how="semi")
    bare = images.join(store.scan("grounded_objects"), on="image_id", how="anti")
    generated = store.scan("images").filter(pl.col("request_key").is_not_null())
    counted = {"captions_generated": generated, "without_boxes": bare}
    return {name: rows.select(pl.len()).collect().item() for name, rows in counted.items()}


def picture_lines(counts: Mapping[str, int]) -> list[str]:
    """The same in sentences, for what there is."""
    sentences = {
        "captions_generated": "captions are generated: column caption_source of images says by which model",
        "without_boxes": "pictures have no boxes and are asked about as whole scenes only",
    }
    return [f"{counts[name]:,} {sentence}" for name, sentence in sentences.items() if counts[name]]


def requests_between(
    before: pl.DataFrame, after: pl.DataFrame, *, assets: Iterable[str], shards: Iterable[str]
) -> dict[str, int]:
    """Requests sent and reused by the slices of `funnel` that were written between two readings of it.

    Every making of a shard replaces its row, and its wall seconds tell the new row from the old: what stayed equal was made
    by an earlier command and costs nothing now.

    Args:
        before, after: the whole table `funnel` before and after the work.
        assets, shards: what was worked on; a run of somebody else meanwhile does not count.
    """
    made = after.filter(pl.col("asset").is_in(list(assets)), pl.col("shard").is_in(list(shards)))
    made = made.join(before, on=[*_SLICE, "seconds", "requests_sent", "requests_reused"], how="anti")
    return {"requests_sent": made["requests_sent"].sum(), "requests_reused": made["requests_reused"].sum()}


def report_rows(report: Mapping) -> list[tuple[str, str, str, str, str]]:
    """The report as cells of a table: name, rows, asked, parsed, and rejections with the most frequent reason first."""
    rows = []
    for name, table in report["tables"].items():
        reasons = sorted(table["rejected"].items(), key=lambda item: (-item[1], item[0]))
        text = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
        asked, parsed = (f"{table[column]:,}" if table["asked"] else "" for column in ("asked", "parsed"))
        rows.append((name, f"{table['rows']:,}", asked, parsed, text))
    return rows


def cost_rows(costs: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """The costs as cells of a table, with a line for all."""
    total = {name: round(sum(one[name] for one in costs.values()), 1) for name in COUNTS}
    return [(asset, *(f"{one[name]:,}" for name in COUNTS)) for asset, one in [*costs.items(), ("all", total)]]
