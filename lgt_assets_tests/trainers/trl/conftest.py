"""What the tests with TRL share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CONFIGURATIONS = "configs/trl"


@pytest.fixture(scope="session", autouse=True)
def quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No progress bars between the tests' lines, and no cache of data sets outside the tests."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="session")
def rows_of(exports: Path) -> Callable[[str, str], Any]:
    """The rows of a config's split as TRL's scripts load them: from the folder, by name."""

    def load(config: str, split: str = "train") -> Any:
        from datasets import load_dataset

        return load_dataset(str(exports / "hf"), config, split=split)

    return load


@pytest.fixture(scope="session")
def ready(exports: Path) -> Callable[[str], dict]:
    """What the release's own configuration for a config says."""
    return lambda config: yaml.safe_load((exports / "hf" / CONFIGURATIONS / "full" / f"{config}.yaml").read_text())


@pytest.fixture(scope="session")
def processor(model_folder: Path) -> Any:
    """Pictures and texts to tokens, as the trainers load it by themselves."""
    transformers = pytest.importorskip("transformers")
    # The extra `train` brings TRL without it; `make test-trl` has both.
    pytest.importorskip("torchvision", reason="Qwen2.5-VL's AutoProcessor needs torchvision: make test-trl")
    return transformers.AutoProcessor.from_pretrained(model_folder)
