"""Writing a release's folder: parquet per config and split, and a short card; complete or not there at all."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import polars as pl

from lgt_assets.release.configs import CONFIGS, SPLITS, config_rows


def write_release(folder: Path, tables: dict[str, pl.LazyFrame], *, title: str, provenance: dict) -> list[dict]:
    """Write ``<config>/<split>.parquet`` and README.md to ``folder`` (replaced whole), and say what was written.

    Returns:
        One dict per file: config, split, path (relative to ``folder``), rows, sha256.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    files = []
    for name in CONFIGS:
        for split in SPLITS:
            path = temporary / name / f"{split}.parquet"
            path.parent.mkdir(exist_ok=True)
            config_rows(name, split, tables).sink_parquet(path, compression="zstd", compression_level=3)
            rows = pl.scan_parquet(path).select(pl.len()).collect().item()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files.append({"config": name, "split": split, "path": f"{name}/{split}.parquet", "rows": rows, "sha256": digest})
    (temporary / "README.md").write_text(card(title, files, provenance), encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    os.rename(temporary, folder)
    return files


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
    made = ["```json", json.dumps(provenance, indent=2, sort_keys=True), "```"]
    body = [f"# {title}", "", "Grounded questions with long chains of thought, made by lgt_assets.", "", *table, "", "## Made of"]
    return "\n".join([*header, "---", "", *body, "", *made, ""])
