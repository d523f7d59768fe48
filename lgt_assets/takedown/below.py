"""Every row below a picture, in all tables, by id: what one takedown removes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from lgt_assets.engines.store_maintenance import stored_completions
from lgt_assets.schemas import polars_schema
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.completions import COLUMNS, Evidence, keys_to_remove
from lgt_assets.takedown.plan import Plan
from lgt_assets.takedown.texts import holds_any, pieces, spellings, telling

# Key of each table that hangs on a picture otherwise than by image_id.
KEYS = {
    "images": "image_id", "grounded_objects": "object_id", "seed_questions": "question_id", "composed_questions": "question_id",
    "distilled_cots": "cot_id", "expanded_traces": "trace_id", "preference_pairs": "pair_id", "sft_mix": "example_id",
    "rl_prompts": "prompt_id", "picture_hashes": "image_id", "rejections": "rejection_id", "generations": "request_key",
    "failures": "request_key", "audits": "row_id", "release_exclusions": "row_id",
}  # fmt: skip
OF_PICTURES = tuple(table for table in KEYS if "image_id" in polars_schema(table))
# What a row says that tells whose it is.
_TELLING = ("caption", "question", "thought", "added_thought")


def find_below(store: DeltaStore, responses: Path, plan: Plan) -> None:
    """Fill in the plan's rows, texts, credits and releases; nothing is changed.

    Args:
        store: the tables.
        responses: folder of the response store.
        plan: names the pictures.
    """
    found: dict[str, set[str]] = {table: set() for table in KEYS}
    texts: set[str] = {picture.uri for picture in plan.pictures if picture.uri}
    for shard in plan.shards:
        for table, ids in _in_shard(store, responses, plan, shard, texts).items():
            found[table] |= ids
    elsewhere = store.scan("rejections").filter(~pl.col("shard").is_in(plan.shards), _about_bad_rows(plan, texts))
    bad_rows = elsewhere.select("rejection_id", "shard").collect()
    found["rejections"] |= set(bad_rows["rejection_id"])
    plan.bad_row_shards = sorted(set(bad_rows["shard"]))
    ids = sorted({*plan.image_ids, *(one for ids in found.values() for one in ids)})
    for table in ("audits", "release_exclusions"):
        rows = store.scan(table).filter(pl.col("row_id").is_in(ids)).select("row_id").collect()
        found[table] = set(rows["row_id"])
    plan.rows = {table: sorted(found[table]) for table in KEYS if found[table]}
    plan.texts = telling(texts)
    plan.credits = _credits(store, plan)
    releases = store.scan("release").select("release_id", "shards").collect().iter_rows()
    plan.releases = sorted(release for release, shards in releases if set(shards) & set(plan.shards))


def _in_shard(
    store: DeltaStore, responses: Path, plan: Plan, shard: str, texts: set[str]
) -> dict[str, set[str]]:  # fmt: skip
    """Ids by table of what one shard has below the pictures; what it says is added to ``texts``."""
    found: dict[str, set[str]] = {}
    own, others = Evidence(set(), plan.sha256s), Evidence(set())
    for table, rows in _rows(store, shard):
        mine = pl.col("image_id").is_in(plan.image_ids)
        if "images" in rows.columns:
            mine |= pl.col("images").list.eval(pl.element().is_in(plan.image_ids)).list.any()
        found[table] = set(rows.filter(mine)[KEYS[table]])
        own, others = _more(own, rows.filter(mine), table), _more(others, rows.filter(~mine), table)
    texts.update([*own.captions, *own.texts])
    rejections = store.scan("rejections", shards=[shard]).collect()
    refused = _of_rejections(rejections, found, plan, texts)
    is_mine = pl.col("rejection_id").is_in(sorted(refused))
    own, others = _refused(own, rejections.filter(is_mine)), _refused(others, rejections.filter(~is_mine))
    keys = keys_to_remove(_completions(store, responses, shard), own, others)
    is_mine |= pl.col("request_key").is_in(sorted(keys)).fill_null(False)
    found |= {"rejections": set(rejections.filter(is_mine)["rejection_id"]), "generations": keys}
    texts.update(telling(rejections.filter(is_mine)["raw"]))
    failures = store.scan("failures", shards=[shard])
    about = holds_any("prompt", spellings([*plan.sha256s, *own.captions]))
    failed = failures.filter(about | pl.col("request_key").is_in(sorted(keys | set(own.keys)))).select("request_key")
    return found | {"failures": set(failed.collect()["request_key"])}


def _credits(store: DeltaStore, plan: Plan) -> list[list[str]]:
    """Licence and attribution of the pictures, where no other picture has them."""
    images = store.scan("images").select("image_id", "license", "attribution").drop_nulls().collect()
    mine = pl.col("image_id").is_in(plan.image_ids)
    own, others = (
        set(rows.select("license", "attribution").rows()) for rows in (images.filter(mine), images.filter(~mine))
    )
    return [list(one) for one in sorted(own - others)]


def _rows(store: DeltaStore, shard: str) -> Iterator[tuple[str, pl.DataFrame]]:
    wanted = {"image_id", "images", "sha256", "request_key", "votes", "judged_behaviours", *_TELLING}
    for table in OF_PICTURES:
        if table not in KEYS or not store.exists(table):
            continue
        names = [name for name in polars_schema(table) if name in wanted or name == KEYS[table]]
        yield table, store.scan(table, shards=[shard]).select(names).collect()


def _more(evidence: Evidence, rows: pl.DataFrame, table: str) -> Evidence:
    keys = set(evidence.keys)
    if "request_key" in rows.columns:
        keys.update(rows["request_key"].drop_nulls())
    if "votes" in rows.columns:
        keys.update(rows.select(pl.col("votes").explode().struct.field("request_key")).to_series().drop_nulls())
    if "judged_behaviours" in rows.columns:
        keys.update(rows["judged_behaviours"].struct.field("request_key").drop_nulls())
    said = [text for name in _TELLING if name in rows.columns for text in telling(rows[name])]
    captions = set(rows["caption"]) if table == "images" else set()
    sha256s = set(rows["sha256"]) if table == "images" else set()
    return Evidence(
        keys, sorted({*evidence.sha256s, *sha256s}), telling({*evidence.captions, *captions}), telling({*evidence.texts, *said})
    )  # fmt: skip


def _refused(evidence: Evidence, rejections: pl.DataFrame) -> Evidence:
    keys = {*evidence.keys, *rejections["request_key"].drop_nulls()}
    return replace(evidence, keys=keys, texts=telling([*evidence.texts, *pieces(rejections["raw"])]))


def _of_rejections(rejections: pl.DataFrame, found: dict[str, set[str]], plan: Plan, texts: Iterable[str]) -> set[str]:
    """Those of the pictures' rows, those of such rejections, and bad rows of the source that are about the pictures."""
    mine: set[str] = set()
    parents = {one for ids in found.values() for one in ids} | set(plan.image_ids)
    while True:
        own = pl.col("parent_id").is_in(sorted(parents | mine)).fill_null(False)
        more = set(rejections.filter(own | _about_bad_rows(plan, texts))["rejection_id"])
        if more <= mine:
            return mine
        mine |= more


def _about_bad_rows(plan: Plan, texts: Iterable[str]) -> pl.Expr:
    """Whether a rejection is a bad row of a source that speaks of the pictures."""
    about = holds_any("raw", spellings([*plan.sha256s, *plan.image_ids, *telling(texts)]))
    return pl.col("parent_id").is_null() & pl.col("request_key").is_null() & about


def _completions(store: DeltaStore, responses: Path, shard: str) -> pl.DataFrame:
    stored = [rows.select(COLUMNS) for rows in stored_completions(responses, shard)]
    return pl.concat([store.scan("generations", shards=[shard]).select(COLUMNS).collect(), *stored]).unique(
        "request_key"
    )
