"""Writing a release's folder: parquet per config and split, and a short card; complete or not there at all."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import polars as pl

from lgt_assets.identity import digest
from lgt_assets.release.configs import CONFIGS, SPLITS, Draw, config_rows, picture_rows

PICTURES = "pictures.parquet"
EXCLUDED = "excluded.parquet"
CARD_TEXT = (
    "Grounded questions with long chains of thought, made by lgt_assets. "
    f"The column `images` holds image_ids; {PICTURES} says where each picture lies, its sha256 and its licence; "
    f"{EXCLUDED} names the pictures and questions that were left out, and why."
)


def write_release(
    root: Path, tables: dict[str, pl.LazyFrame], excluded: pl.DataFrame, *, draw: Draw, title: str, provenance: dict
) -> tuple[str, list[dict]]:
    """Write ``<root>/<release_id>/<config>/<split>.parquet``, pictures.parquet, excluded.parquet and README.md.

    The id depends on the configs' rows alone: pictures.parquet, which says where the pictures lie, may differ by machine.

    Args:
        root: folder of all releases.
        tables: lazy frames of :data:`lgt_assets.release.configs.RELEASE_TABLES`, less what is excluded.
        excluded: what :func:`lgt_assets.release.exclusions.exclusions` gives.
        draw: how many rows of which config.
        title: the card's title.
        provenance: JSON-able facts for the card.

    Returns:
        The release's id, and one dict per file: config, split, path (relative to the release's folder), rows, sha256.

    Raises:
        SettingsError: more rows are to be drawn than there are; nothing is left behind.
    """
    root.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=root))
    try:
        files = [_write_file(temporary, name, split, tables, draw) for name in CONFIGS for split in SPLITS]
        picture_rows(tables).sink_parquet(temporary / PICTURES, compression="zstd")
        excluded.sort("table", "reason", "row_id").write_parquet(temporary / EXCLUDED, compression="zstd")
        release_id = digest([file["sha256"] for file in files])[:16]
        text = card(title, files, {"release_id": release_id} | provenance)
        (temporary / "README.md").write_text(text, encoding="utf-8")
        if (root / release_id).exists():
            shutil.rmtree(root / release_id)
        temporary.rename(root / release_id)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return release_id, files


def _write_file(folder: Path, name: str, split: str, tables: dict[str, pl.LazyFrame], draw: Draw) -> dict:
    path = folder / name / f"{split}.parquet"
    path.parent.mkdir(exist_ok=True)
    config_rows(name, split, tables, draw).sink_parquet(path, compression="zstd", compression_level=3)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    return {"config": name, "split": split, "path": f"{name}/{split}.parquet", "rows": rows, "sha256": sha256}


def card(title: str, files: list[dict], provenance: dict) -> str:
    """A short dataset card: configs with their files, row counts, and what the release was made of."""
    header = ["---", "configs:"]
    for name in CONFIGS:
        header += [f"- config_name: {name}", "  data_files:"]
        for file in files:
            if file["config"] == name and file["rows"]:
                header += [f"  - split: {file['split']}", f"    path: {file['path']}"]
    table = ["| config | split | rows |", "|---|---|---|"]
    table += [f"| {file['config']} | {file['split']} | {file['rows']} |" for file in files]
    made_of = ["## Made of", "", "```json", json.dumps(provenance, indent=2, sort_keys=True), "```"]
    return "\n".join([*header, "---", "", f"# {title}", "", CARD_TEXT, "", *table, "", *made_of, ""])
