"""`lgt serve` with vLLM's own server and the embedded model (`make test-vllm`)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets_tests.engines import half_way
from lgt_assets_tests.engines.requests import request
from lgt_assets_tests.engines.test_openai_server import completed
from lgt_assets_tests.serving.test_serve import free_ports

pytest.importorskip(
    "vllm", reason="vllm is not installed here: make test-vllm runs these in an environment of their own"
)
pytestmark = pytest.mark.vllm

PROGRAM = f"{sys.executable} -m vllm.entrypoints.openai.api_server --model {{model}}"


def test_a_run_finds_the_server_that_lgt_serve_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = {
        "engine": "vllm_offline", "model": "embedded", "dtype": "float32", "max_model_len": 1024, "max_num_seqs": 8,
        "engine_arguments": {"enforce_eager": True, "block_size": half_way.BLOCK},
    }  # fmt: skip
    profile = tmp_path / "served.yaml"
    roles = {"vlm": {"model": "small"}}
    profile.write_text(
        yaml.safe_dump({"name": "served", "prompts": "lgt", "models": {"small": served}, "roles": roles})
    )
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("VLLM_ENABLE_V1_MULTIPROCESSING", raising=False)  # the server's engine is a process of its own
    port = free_ports(1)
    options = ["--profile", str(profile), "--port", str(port), "--command", PROGRAM, "--start-seconds", "180"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lgt_assets.cli", "serve", *options], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{port}/v1"
        assert process.stdout.readline().strip() == f"small {address}"
        with OpenaiServerEngine(OpenaiServerSettings(model="embedded", endpoints_file="servers/small.yaml")) as engine:
            found = completed(engine, [request("What is it?", seed=seed, max_tokens=8) for seed in range(4)])
            assert {answer.endpoint for answer in found.values()} == {address}
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2  # the server, and its engine
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        _gone, alive = psutil.wait_procs(children, timeout=5)
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    finally:
        process.kill()
        process.wait()
