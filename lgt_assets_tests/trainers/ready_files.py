"""What goes beside the rows for each trainer, in the exports of the made dataset."""

from collections.abc import Sequence

import yaml

from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.llamafactory_configs import llamafactory_configs
from lgt_assets.release.rewards import rewards_source
from lgt_assets.release.swift_configs import swift_configs
from lgt_assets.release.trl_configs import trl_configs
from lgt_assets.release.writing import Written

# Of the embedded model: no row of the made dataset is longer than its context, no picture is given to it larger.
LENGTH, COMPLETION, PIXELS = 2_048, 64, 13_000


def ready_files(form: str, written: Sequence[Written]) -> dict[str, str]:
    """Files by path in the export of that format."""
    rows: dict[str, dict[str, int]] = {}
    for one in written:
        rows.setdefault(one.config, {})[one.split] = one.rows
    lengths = {config: COMPLETION if CONFIGS[config].task == "rl" else LENGTH for config in rows}
    if form == "llamafactory":
        return llamafactory_configs(rows, lengths, image_max_pixels=PIXELS)
    if form == "swift":
        return {"rewards.py": rewards_source()} | swift_configs(rows, lengths, image_max_pixels=PIXELS)
    if form == "hf":
        return {"rewards.py": rewards_source(), "README.md": _card(written)} | trl_configs(rows, lengths)
    if form == "verl":
        return {"rewards.py": rewards_source()}
    return {}


def _card(written: Sequence[Written]) -> str:
    """What the hub's library reads of a card: which files make up a config's split."""
    files: dict[str, list[dict]] = {}
    for one in written:
        files.setdefault(one.config, []).append({"split": one.split, "path": list(one.files)})
    configs = [{"config_name": config, "data_files": splits} for config, splits in files.items()]
    return f"---\n{yaml.safe_dump({'configs': configs})}---\n"
