"""A small release's card: real tables, facts over them, and rows written in a format."""

import json
from pathlib import Path

import polars as pl

from lgt_assets.audit.scores import audit_summary
from lgt_assets.delta_files import TableFolder
from lgt_assets.identity import digest
from lgt_assets.release.card import CardFacts
from lgt_assets.release.configs import RELEASE_TABLES, Draw
from lgt_assets.release.exclusions import SCHEMA
from lgt_assets.release.facts import FACT_TABLES, RECORD_TABLES, release_facts
from lgt_assets.release.formats.registry import FORMATS
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.pinned_rows import PinnedRows
from lgt_assets.release.writing import Wanted, Written, write_rows
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile, load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import funnel_row, generation_row, rejection_row
from lgt_assets_tests.release.made_dataset import SHARDS, write_dataset

MODEL = "/home/somebody/models/Vision-7B"
EXCLUDED = [{"reason": "repeated_wording", "table": "seed_questions", "rows": 1200}]


def write_tables(store: DeltaStore, folder: Path) -> None:
    """The made dataset, with the completions, rejections and counts that stand beside it."""
    write_dataset(store, folder)
    for place, shard in enumerate(SHARDS):
        generation = generation_row("distilled_cots", digest("made", shard), "<think>I look.</think>") | {
            "shard": shard, "role": "vlm", "model": MODEL,
            "sampling": json.dumps({"temperature": 1.0, "max_tokens": 64}),
        }  # fmt: skip
        store.replace("generations", frame("generations", [generation]), shard=shard, asset="distilled_cots")
        rejections = [
            rejection_row("distilled_cots", reason, n, parent_id=f"q.{shard}.0")
            | {"shard": shard, "rejection_id": f"x.{shard}.{n}"}
            for n, reason in enumerate(["cut_off", "no_answer", "no_answer"][: 2 + place])
        ]  # fmt: skip
        store.replace("rejections", frame("rejections", rejections), shard=shard, asset="distilled_cots")
        funnel = funnel_row("distilled_cots", accepted=4, rejected=len(rejections)) | {"shard": shard}
        store.replace("funnel", frame("funnel", [funnel]), shard=shard, asset="distilled_cots")


def scans(store: DeltaStore) -> dict[str, pl.LazyFrame]:
    """Every table that facts are taken from."""
    return {table: store.scan(table) for table in (*FACT_TABLES, *RECORD_TABLES)}


def made_facts(store: DeltaStore, profile: Profile | None = None, **changes: object) -> dict:
    """Facts of the made dataset."""
    options = {"template_names": {}, "audits": audit_summary(store.read("audits")), "shards": len(SHARDS)} | changes
    return release_facts(scans(store), {}, profile or load_profile("embedded"), **options)


def write_format(store: DeltaStore, folder: Path, name: str = "hf") -> list[Written]:
    """The made rows in a format, in ``folder``."""
    form = FORMATS[name]
    folder.mkdir(parents=True, exist_ok=True)
    versions = {table: store.version(table) for table in RELEASE_TABLES}
    pinned = PinnedRows(TableFolder(store.root), versions, SHARDS, pl.DataFrame(schema=SCHEMA))
    with PictureBytes() as pictures:
        wanted = Wanted(form, form.pictures, Draw({}))
        return write_rows(folder, folder.parent / f"{name}.rows", pinned, wanted, pictures, progress=lambda *_: None)


def card_of(facts: dict, written: list[Written], name: str = "hf", **changes: object) -> CardFacts:
    """What the card is written from."""
    values = {"excluded": EXCLUDED, "inputs": {"images": 3, "sft_mix": 7}, "companions": ("rewards.py", "release.json")}
    return CardFacts("0123456789abcdef", name, FORMATS[name].trainers, facts, written=written, **(values | changes))
