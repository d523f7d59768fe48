"""What a trainer reads of a release: the files of its export in the format ``hf``, and nothing else."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lgt_assets.errors import ReleaseError

TRAIN, VALIDATION = "train", "validation"


def exported_rows(export: Path, configs: Sequence[str], split: str = TRAIN) -> Any:
    """A split's rows of the configs that have any, one after the other, as the hub's library reads them.

    Raises:
        ReleaseError: no config has a file of that split.
    """
    from datasets import load_dataset

    files = [str(path) for config in configs for path in sorted((export / config).glob(f"{split}-*.parquet"))]
    if not files:
        raise ReleaseError(
            f"{export} holds no {split} rows of {', '.join(configs)}: export the release with --format hf"
        )
    cache = export.parent / f".{export.name}-cache"
    return load_dataset("parquet", data_files=files, split="train", cache_dir=str(cache))


def released_as(export: Path) -> str:
    """The id of the release that an export was written from.

    Raises:
        ReleaseError: the folder is no export.
    """
    path = export / "release.json"
    if not path.is_file():
        raise ReleaseError(f"{path} is missing: {export} is no export of a release")
    return json.loads(path.read_text())["release_id"]


def released_rewards(export: Path) -> ModuleType:
    """The export's own ``rewards.py``, as it lies there.

    Raises:
        ReleaseError: the export holds none.
    """
    path = export / "rewards.py"
    if not path.is_file():
        raise ReleaseError(f"{path} is missing: rewards are the release's own, so export it with --format hf")
    specification = importlib.util.spec_from_file_location(f"rewards_of_{released_as(export)}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
