"""What goes beside the rows of an export: its card, its facts for programs, and what its trainer needs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from lgt_assets import __version__
from lgt_assets.release.card import CardFacts, card_files
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.dataset_info import dataset_info
from lgt_assets.release.exclusions import counted
from lgt_assets.release.formats.base import REFERENCED
from lgt_assets.release.llamafactory_configs import llamafactory_configs
from lgt_assets.release.options import Options
from lgt_assets.release.picture_sources import ATTRIBUTIONS_FILE, attribution_lines
from lgt_assets.release.pinned_rows import PinnedRows
from lgt_assets.release.pins import Release
from lgt_assets.release.rewards import rewards_source
from lgt_assets.release.swift_configs import swift_configs
from lgt_assets.release.token_lengths import grpo_length
from lgt_assets.release.trl_configs import trl_configs
from lgt_assets.release.writing import Written

FACTS, REWARDS = "release.json", "rewards.py"
Companions = dict[str, str | bytes | Iterable[str]]
_READY = {"hf": trl_configs, "llamafactory": llamafactory_configs, "swift": swift_configs}


def companions(release: Release, pinned: PinnedRows, options: Options, written: Sequence[Written]) -> Companions:
    """Files by relative path; nothing in them depends on the machine or the hour."""
    files: Companions = {FACTS: release_json(release, options, written)}
    if any(CONFIGS[one.config].task == "rl" and one.rows for one in written) and options.form.name != "rows":
        files[REWARDS] = rewards_source()
    if options.form.name == "llamafactory":
        files["dataset_info.json"] = dataset_info(written)
    if options.form.name in _READY:
        files |= _READY[options.form.name](rows_by_config(written), lengths(release.facts.get("token_lengths", {})))
    pictures = release.facts["pictures"]
    if pictures["attributions_in_all"] or len({one["license"] for one in pictures["sources"]}) > 1:
        kept = pinned.scan("images").filter(~pl.col("image_id").is_in(release.excluded["row_id"].implode()))
        files[ATTRIBUTIONS_FILE] = attribution_lines(kept)
    return files | card_files(card_facts(release, options, written, sorted(files)))


def card_facts(release: Release, options: Options, written: Sequence[Written], beside: Sequence[str] = ()) -> CardFacts:
    """What the card of an export is written from."""
    notes = []
    if options.strip_location:
        notes.append(
            "Where a picture was taken has been removed from its EXIF, XMP and IPTC entries; nothing was re-encoded. The "
            "sha256 of such a file is no longer the one of its original."
        )
    if options.delivery == REFERENCED:
        notes.append("Pictures are given by the paths of the originals, which lie on the machine that exported them.")
    return CardFacts(
        release.release_id, options.form.name, options.form.trainers, release.facts, counted(release.excluded), release.inputs,
        written, beside, release.facts.get("token_lengths", {}), notes,
    )  # fmt: skip


def lengths(measured: Mapping[str, Mapping]) -> dict[str, int]:
    """For each config the tokens that its trainer must take: of whole rows for SFT and DPO, of completions for RL.

    Args:
        measured: by config, :meth:`lgt_assets.release.token_lengths.TokenLengths.as_dict`.
    """
    found = {}
    for config, told in measured.items():
        if CONFIGS[config].task != "rl":
            found[config] = told["max_length"]
            continue
        stages = CONFIGS[config].stages
        of_stage = [name for name in measured if CONFIGS[name].task == "sft" and CONFIGS[name].stages == stages]
        found[config] = grpo_length(measured[name]["max_completion_length"] for name in of_stage)
    return found


def rows_by_config(written: Sequence[Written]) -> dict[str, dict[str, int]]:
    """Rows by config and split."""
    rows: dict[str, dict[str, int]] = {}
    for one in written:
        rows.setdefault(one.config, {})[one.split] = one.rows
    return rows


def release_json(release: Release, options: Options, written: Sequence[Written]) -> str:
    """What programs ask: which release, which format, how many rows where."""
    told: Mapping = {
        "release_id": release.release_id, "format": options.form.name, "pictures": options.delivery,
        "location_removed": options.strip_location, "lgt_assets": __version__, "made_with": dict(release.libraries),
        "inputs": dict(sorted(release.inputs.items())),
        "rows": [
            {
                "config": one.config, "split": one.split, "rows": one.rows, "content": one.content, "files": list(one.files),
            }
            for one in written
        ],
        "configs_not_in_this_format": [name for name, one in CONFIGS.items() if one.task not in options.form.columns],
    }  # fmt: skip
    return json.dumps(told, indent=2) + "\n"


def write_companions(folder: Path, files: Mapping[str, str | bytes | Iterable[str]]) -> None:
    """Write the files beside the rows."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
            continue
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines([content] if isinstance(content, str) else content)
