"""vLLM's own server with the embedded model, asked through openai_server (`make test-vllm`)."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion, Request, request_key
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.model_identity import embedded_folder
from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.settings import HfTransformersSettings, OpenaiServerSettings
from lgt_assets_tests.engines import half_way
from lgt_assets_tests.engines.requests import picture, request

pytest.importorskip(
    "vllm", reason="vllm is not installed here: make test-vllm runs these in an environment of their own"
)
pytestmark = pytest.mark.vllm

WORDS = "Objects: large red circle [8, 8, 60, 60]; small blue star [70, 70, 100, 100]. List all objects."
_START_SECONDS = 180


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Base address of a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "model": str(embedded_folder()), "served-model-name": "embedded", "host": "127.0.0.1", "port": str(port),
        "dtype": "float32", "max-model-len": "1024", "max-num-seqs": "8", "block-size": str(half_way.BLOCK),
        "limit-mm-per-prompt": '{"image": 1}',
    }  # fmt: skip
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *arguments, "--enforce-eager"]
    # the server's engine is a process of its own
    environment = {name: value for name, value in os.environ.items() if name != "VLLM_ENABLE_V1_MULTIPROCESSING"}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, start_new_session=True, text=True
    )
    too_long = threading.Timer(_START_SECONDS, server.kill)
    too_long.start()
    try:
        said: list[str] = []
        for line in server.stdout or ():
            said.append(line)
            if "Application startup complete" in line:
                break
        else:
            pytest.fail(f"the server did not start:\n{''.join(said[-40:])}")
        too_long.cancel()
        threading.Thread(
            target=lambda: deque(server.stdout or (), maxlen=0), daemon=True
        ).start()  # or its pipe fills up
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        too_long.cancel()
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def test_text_picture_prefix_seed_and_choice(address: str, tmp_path: Path) -> None:
    shown = (picture(tmp_path),)
    greedy = [
        request(WORDS, max_tokens=16),
        request("What is it?", images=shown, max_tokens=16),
        request("What is it?", images=shown, prefix="<think> I see", max_tokens=16),
        request(WORDS, prefix="<think> I see", stop=("[",), include_stop=True, max_tokens=16),
        request(WORDS, bad_words=("large",), max_tokens=16),
        request(WORDS, choice=("yes", "no"), max_tokens=8),
    ]
    drawn = [replace(request(WORDS, seed=seed, temperature=1.3, max_tokens=16), sample_index=seed) for seed in range(6)]
    with HfTransformersEngine(HfTransformersSettings(device="cpu", dtype="float32", threads=1)) as here:
        expected = _answers(here, greedy)
    with OpenaiServerEngine(OpenaiServerSettings(model="embedded", endpoints=(address,), in_flight=8)) as engine:
        found = _answers(engine, [*greedy, *drawn])
        assert [found[key].text for key in expected] == [same.text for same in expected.values()]
        assert [found[key].prompt_tokens for key in expected] == [same.prompt_tokens for same in expected.values()]
        samples = [found[request_key(engine.identity, one)].text for one in drawn]
        assert len(set(samples)) > 1
        again = _answers(engine, drawn[::-1])
        assert {key: result.text for key, result in again.items()} == {key: found[key].text for key in again}


def _answers(engine: HfTransformersEngine | OpenaiServerEngine, requests: list[Request]) -> dict[str, Completion]:
    results = {result.request_key: result for result in engine.generate(requests)}
    assert all(isinstance(result, Completion) for result in results.values()), results
    assert len(results) == len(requests)
    return {request_key(engine.identity, one): results[request_key(engine.identity, one)] for one in requests}  # type: ignore[misc]
