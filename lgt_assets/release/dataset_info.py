"""LLaMA-Factory's dataset_info.json: every column and every tag by name, so that nothing is left to its defaults."""

import json
from collections.abc import Sequence

from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.writing import Written

TAGS = {
    "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system",
}  # fmt: skip


def dataset_name(config: str, split: str) -> str:
    """The name by which a training configuration asks for a config's split."""
    return f"lgt_{config}_{split}"


def dataset_info(written: Sequence[Written]) -> str:
    """One entry for each file that was written."""
    return (
        json.dumps({dataset_name(one.config, one.split): _entry(one) for one in written if one.rows}, indent=2) + "\n"
    )


def _entry(one: Written) -> dict:
    columns = {"messages": "messages", "images": "images"}
    entry: dict = {"file_name": one.files[0], "formatting": "sharegpt"}
    if CONFIGS[one.config].task == "dpo":
        columns |= {"chosen": "chosen", "rejected": "rejected"}
        entry["ranking"] = True
    return entry | {"columns": columns, "tags": TAGS}
