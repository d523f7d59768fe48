"""What goes beside the rows for LLaMA-Factory and ms-swift, in the exports of the made dataset."""

from collections.abc import Sequence

from lgt_assets.release.dataset_info import dataset_info
from lgt_assets.release.llamafactory_configs import llamafactory_configs
from lgt_assets.release.rewards import rewards_source
from lgt_assets.release.swift_configs import swift_configs
from lgt_assets.release.writing import Written

# The embedded model's: no row of the made dataset is longer than its context, no picture larger than its limit.
LONGEST, PIXELS = 2048, 13_000


def ready_files(form: str, written: Sequence[Written]) -> dict[str, str]:
    """Files by path in the export of that format."""
    rows: dict[str, dict[str, int]] = {}
    for one in written:
        rows.setdefault(one.config, {})[one.split] = one.rows
    longest = dict.fromkeys(rows, LONGEST)
    if form == "llamafactory":
        return {"dataset_info.json": dataset_info(written)} | llamafactory_configs(rows, longest, PIXELS)
    if form == "swift":
        return {"rewards.py": rewards_source()} | swift_configs(rows, longest, PIXELS, max_completion_length=64)
    return {}
