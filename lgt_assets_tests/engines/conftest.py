"""The real model for engine tests: the shipped weights, or the folder named by LGT_TEST_MODEL."""

import os
from collections.abc import Iterator

import pytest

from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.model_identity import embedded_folder
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.errors import EngineError


@pytest.fixture(scope="session")
def model_folder() -> str:
    """Folder of a small Qwen2.5-VL."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    named = os.environ.get("LGT_TEST_MODEL")
    if named:
        return named
    try:
        return str(embedded_folder())
    except EngineError as error:
        pytest.skip(f"no weights to test with: {error}")


@pytest.fixture(scope="session")
def hf_engine(model_folder: str) -> Iterator[HfTransformersEngine]:
    """The model in this process; tests leave it open."""
    with HfTransformersEngine(HfTransformersSettings(model=model_folder, batch_size=32, threads=1)) as engine:
        yield engine
