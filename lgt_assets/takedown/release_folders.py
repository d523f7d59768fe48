"""Rows out of the folders of releases, and of what the table ``release`` says of them: the files that stay get a new manifest."""

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from lgt_assets.delta_files import TableFolder
from lgt_assets.leftover_files import RELEASE_IN_WRITING
from lgt_assets.release.card import card_files
from lgt_assets.release.companions import FACTS, card_facts
from lgt_assets.release.configs import CONFIGS, KEYS
from lgt_assets.release.formats.rows import ROWS
from lgt_assets.release.hub_features import features, image_columns_of
from lgt_assets.release.making import EXCLUDED, PICTURES
from lgt_assets.release.manifest import list_files, write_manifest
from lgt_assets.release.options import Options
from lgt_assets.release.picture_sources import ATTRIBUTIONS_FILE
from lgt_assets.release.pins import TABLE, Release, read_release
from lgt_assets.release.writing import Written
from lgt_assets.schemas import frame
from lgt_assets.sources.files import write_atomically
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.plan import Plan

NOTE = (
    "Since this release was made, pictures were taken down: their rows are no longer in these files, and the release cannot be "
    "rebuilt. Statistics, funnel and plots are of the release as it was made."
)
_HIDDEN = ".taken-down"


def clean_releases(store: DeltaStore, root: Path, plan: Plan) -> list[str]:
    """Take the plan's rows out of every release's folder and facts; ids of the releases that changed.

    Args:
        store: the tables.
        root: folder of all releases.
        plan: what is removed.
    """
    for unfinished in root.glob(f"{RELEASE_IN_WRITING}*"):  # of killed runs
        shutil.rmtree(unfinished)
    changed = clean_facts(store, plan)
    tables = TableFolder(store.root, store.storage_options)
    for release_id in plan.releases:
        if (root / release_id).is_dir():
            _clean_folder(root / release_id, read_release(tables, release_id), plan)
            changed.add(release_id)
    return sorted(changed)


def clean_facts(store: DeltaStore, plan: Plan) -> set[str]:
    """Take the example and the credits out of the rows of ``release``, in one commit; ids of the releases that changed."""
    if not plan.releases:
        return set()
    rows = store.read(TABLE).to_dicts()
    credits = _credits(plan)
    changed = set()
    for row in rows:
        if row["release_id"] in plan.releases:
            facts = facts_without(json.loads(row["facts"]), set(plan.rows.get("sft_mix", [])), credits)
            if facts != json.loads(row["facts"]):
                row["facts"] = json.dumps(facts)
                changed.add(row["release_id"])
    if changed:
        store.rewrite(TABLE, lambda: iter([frame(TABLE, rows)]), shards=[], metadata={"lgt_asset": "takedown"})
    return changed


def facts_without(facts: Mapping, examples: Collection[str], credits: Collection[tuple[str, str]]) -> dict:
    """What a card tells, without an example that was taken down, and without credits that only such pictures asked for.

    Args:
        facts: see :func:`lgt_assets.release.facts.release_facts`.
        examples: ids of supervised examples that go.
        credits: (licence, attribution) that no picture is left for.
    """
    told, pictures = dict(facts), dict(facts["pictures"])
    if told["example"] is not None and told["example"]["row_id"] in examples:
        told["example"] = None
    pictures["attributions"] = [
        row for row in pictures["attributions"] if (row["license"], row["attribution"]) not in credits
    ]
    return told | {"pictures": pictures}


def _credits(plan: Plan) -> set[tuple[str, str]]:
    return {(licence, credit) for licence, credit in plan.credits}


def _clean_folder(folder: Path, release: Release, plan: Plan) -> None:
    keys = {name: (KEYS[config.table], plan.rows.get(config.table, [])) for name, config in CONFIGS.items()}
    for name, (key, ids) in keys.items():
        for path in sorted((folder / name).glob("*.parquet")):
            _filter(path, key, ids)
    _filter(folder / PICTURES, "image_id", plan.image_ids)
    _filter(folder / EXCLUDED, "row_id", plan.ids)
    _without_lines(folder / ATTRIBUTIONS_FILE, tuple(plan.sha256s))
    written = [_written(folder, release, config, split) for config, split in release.contents]
    kept = [name for name in list_files(folder) if name == FACTS or name == ATTRIBUTIONS_FILE]
    card = card_facts(release, Options(ROWS), written, sorted(kept))
    for name, content in card_files(replace(card, notes=[*card.notes, NOTE])).items():
        write_atomically(folder / name, content if isinstance(content, bytes) else content.encode())
    _clean_told(folder / FACTS, written)
    write_manifest(folder)


def _filter(path: Path, key: str, ids: Collection[str]) -> None:
    """Rewrite a parquet file without some rows, a row group at a time; one that holds none of them stays as it is."""
    import pyarrow.parquet as pq

    if not ids or not path.is_file():
        return
    if not pl.scan_parquet(path).filter(pl.col(key).is_in(sorted(ids))).head(1).collect().height:
        return
    import pyarrow as pa
    import pyarrow.compute as pc

    file = pq.ParquetFile(path)
    rest = path.with_name(path.name + _HIDDEN)
    with pq.ParquetWriter(rest, file.schema_arrow, compression="ZSTD", compression_level=3) as writer:
        gone = pa.array(sorted(ids))
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            writer.write_table(rows.filter(pc.invert(pc.is_in(rows[key], gone))))
    rest.replace(path)


def _without_lines(path: Path, beginnings: tuple[str, ...]) -> None:
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        write_atomically(path, "".join(line for line in lines if not line.startswith(beginnings)).encode())


def _written(folder: Path, release: Release, config: str, split: str) -> Written:
    """What a config's file holds now; the digest of what the rows say stays that of the release as it was made."""
    import pyarrow.parquet as pq

    path = folder / config / f"{split}.parquet"
    if not path.is_file():
        return Written(config, split, 0, release.contents[config, split][1], (), 0, {})
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    shown = features(schema, image_columns_of(schema))
    size = path.stat().st_size
    content = release.contents[config, split][1]
    return Written(config, split, file.metadata.num_rows, content, (f"{config}/{split}.parquet",), size, shown)


def _clean_told(path: Path, written: list[Written]) -> None:
    if not path.is_file():
        return
    told = json.loads(path.read_text(encoding="utf-8"))
    rows = {(one.config, one.split): one.rows for one in written}
    for one in told["rows"]:
        one["rows"] = rows.get((one["config"], one["split"]), one["rows"])
    write_atomically(path, (json.dumps(told | {"taken_down": True}, indent=2) + "\n").encode())
