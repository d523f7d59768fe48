"""A whole state folder without a model: three pictures of a manifest in two shards, tables, completions, a release, events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import polars as pl

from lgt_assets.assets.materialization import input_versions, shard_materialization
from lgt_assets.assets.release import TRANSFORM
from lgt_assets.assets.release_making import kept_release
from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.assets.takedown import stages_in_order
from lgt_assets.assets.upstream import ROW_COUNT
from lgt_assets.definitions import defs
from lgt_assets.engines.journal import Journal, encode_record
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.identity import digest, row_id
from lgt_assets.instance import open_instance
from lgt_assets.observe.release import release_metadata
from lgt_assets.schemas import frame
from lgt_assets.settings import load_profile
from lgt_assets.sources import add_source, member_rows
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.taking_down import Places
from lgt_assets_tests.made_tables import funnel_row, generation_row
from lgt_assets_tests.release.made_dataset import SHARDS, write_dataset

CAPTIONS = (
    "A harlequin umbrella leans against a vermilion taxi.", "Geese cross a celadon pond at dawn.", "A queue before a bakery.",
)  # fmt: skip
REFUSED = '{"question": "Which periwinkle thing is refused here?"}'
assert defs  # the stages are known


def make_state(root: Path) -> Places:
    """Make it below ``root``: ``state`` and, as the user's own, ``originals``."""
    state, originals = root / "state", root / "originals"
    store, responses = DeltaStore(str(state / "tables")), state / "responses"
    images = write_dataset(store, originals)
    lines = [
        {
            "image": f"{number}.png",
            "caption": CAPTIONS[number],
            "boxes": [],
            "license": "CC0-1.0",
            "attribution": f"Photographer {number}",
        }
        for number in range(3)
    ]
    lines += [lines[0] | {"id": "again"}]  # a bad row about the first picture
    (originals / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    add_source(state, "made", "manifest", {"path": str(originals / "manifest.jsonl")}, shard_size=2)
    store.append(
        "shard_members", frame("shard_members", [row for shard in SHARDS for row in member_rows(state, shard)])
    )
    for shard in SHARDS:
        own = store.read("images", shards=[shard])
        told = [CAPTIONS[int(Path(uri).stem)] for uri in own["uri"]]
        credits = [f"Photographer {Path(uri).stem}" for uri in own["uri"]]
        store.replace("images", own.with_columns(caption=pl.Series(told), attribution=pl.Series(credits)), shard=shard)
        _write_completions(store, responses, shard)
        _write_beside(store, shard, [row for row in images if row["shard"] == shard])
    return Places(store, state, responses)


def _write_completions(store: DeltaStore, responses: Path, shard: str) -> None:
    """Of every question the picture's answer, a vote on its text, and one on a question that was refused; journals and chunks."""
    captions = dict(store.read("images", shards=[shard]).select("image_id", "caption").iter_rows())
    sha256s = dict(store.read("images", shards=[shard]).select("image_id", "sha256").iter_rows())
    rows, questions = [], store.read("seed_questions", shards=[shard])
    for question in questions.to_dicts():
        said, picture = question["question"], question["image_id"]
        for name, text, shown in (
            ("writer", captions[picture], []), ("blind", f"Question: {said} A or B?", []), ("vlm", said, [sha256s[picture]]),
        ):  # fmt: skip
            prompt = json.dumps([{"role": "user", "text": text, "images": shown}], ensure_ascii=False)
            key = digest(name, question["question_id"])
            row = generation_row("seed_questions", key, f"Answer to: {said}") | {"prompt": prompt, "shard": shard}
            rows.append(row | {"ordinal": len(rows)})
    store.replace(
        "seed_questions",
        questions.with_columns(
            request_key=pl.Series([digest("writer", one) for one in questions["question_id"]], dtype=pl.String)
        ),
        shard=shard,
    )
    store.replace("generations", frame("generations", rows), shard=shard, asset="seed_questions")
    half = len(rows) // 2
    with ResponseStore(responses, shard) as kept:
        kept.adopt(rows[:half])
    journal = Journal(responses / shard / f"journal-{digest(shard)[:32]}.lgtj")  # of a run that was killed
    for row in rows[half:]:
        journal.append(encode_record({name: value for name, value in row.items() if name not in ("shard", "ordinal")}))
    journal.close()


def _write_beside(store: DeltaStore, shard: str, images: list[dict]) -> None:
    rejections, hashes, audits = [], [], []
    for number, image in enumerate(images):
        rejections.append({
            "shard": shard, "ordinal": number, "rejection_id": row_id("rejections", shard, image["image_id"]),
            "asset": "seed_questions", "parent_id": image["image_id"], "request_key": None, "reason": "refused", "detail": "",
            "raw": REFUSED.replace("here", image["image_id"]), "measures": [],
        })  # fmt: skip
        hashes.append({"shard": shard, "ordinal": number, "image_id": image["image_id"], "sha256": image["sha256"]} | {
            "phash": image["sha256"][:16]
        })  # fmt: skip
    for number, question in enumerate(store.read("seed_questions", shards=[shard])["question_id"]):
        audits.append({
            "shard": shard, "ordinal": number, "row_id": question, "table": "seed_questions", "auditor": "a", "verdict": "right",
            "error_kind": None, "note": f"seen {question}", "sample": "s", "judged_at": "2026-01-01T00:00:00Z",
        })  # fmt: skip
    store.replace("rejections", frame("rejections", rejections), shard=shard, asset="seed_questions")
    store.replace("picture_hashes", frame("picture_hashes", hashes), shard=shard)
    store.replace("audits", frame("audits", audits), shard=shard)
    for table in STAGES:
        store.create(table)
        store.replace("funnel", frame("funnel", [funnel_row(table, shard=shard)]), shard=shard, asset=table)


def release_of(places: Places, shards: tuple[str, ...] = SHARDS) -> str:
    """Make a release of the shards; its id."""
    kept = kept_release(places.store, load_profile(), shards, root=places.releases, code_version=TRANSFORM)
    return kept.row["release_id"]


def record_all(instance: dg.DagsterInstance, places: Places) -> None:
    """Materializations of every shard and of a release, whose previews show the pictures."""
    for shard in SHARDS:
        for table in stages_in_order():
            rows = places.store.read(table, shards=[shard])
            shown = {"preview": dg.MetadataValue.md(f"{rows.to_dicts()}"), ROW_COUNT: rows.height}
            event = shard_materialization(
                table, shard, inputs=input_versions(instance, STAGES[table].upstream, shard), code_version="1",
                data_version=places.store.slice_version(table, shard), metadata=shown,
            )  # fmt: skip
            instance.report_runless_asset_event(event)
    kept = kept_release(places.store, load_profile(), SHARDS, root=places.releases, code_version=TRANSFORM)
    instance.report_runless_asset_event(dg.AssetMaterialization("release", metadata=release_metadata(kept.card)))
    first = places.store.read("images", shards=SHARDS[:1]).row(0, named=True)
    told = dg.AssetObservation("images", description=f"about {first['image_id']}: {first['caption']}")
    instance.report_runless_asset_event(told)


@contextmanager
def opened(places: Places, monkeypatch) -> Iterator[dg.DagsterInstance]:
    """The instance in the state folder."""
    monkeypatch.setenv("LGT_STATE", str(places.state))
    monkeypatch.setenv("LGT_PROFILE", "embedded")
    monkeypatch.setenv("DAGSTER_HOME", str(places.state / "dagster"))
    with open_instance() as instance:
        yield instance
