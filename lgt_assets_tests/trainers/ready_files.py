"""What is written anew beside the rows for LLaMA-Factory and ms-swift: configs with the embedded model's limits."""

from collections.abc import Sequence

from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.llamafactory_configs import llamafactory_configs
from lgt_assets.release.rewards import rewards_source
from lgt_assets.release.swift_configs import swift_configs
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
    return {}
