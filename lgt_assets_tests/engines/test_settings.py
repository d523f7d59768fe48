"""Profiles' engine settings: told apart, checked, without secrets."""

import json
import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from lgt_assets.engines.registry import build_engine, missing_libraries
from lgt_assets.engines.scripted import ScriptedEngine
from lgt_assets.engines.settings import (
    EngineSettings,
    HfTransformersSettings,
    OpenaiServerSettings,
    ScriptedSettings,
    VllmOfflineSettings,
)
from lgt_assets.errors import EngineError

ADAPTER: TypeAdapter[EngineSettings] = TypeAdapter(EngineSettings)


@pytest.mark.parametrize(("given", "kind"), [
    ({"engine": "hf_transformers"}, HfTransformersSettings),
    ({"engine": "openai_server", "endpoints": ["http://127.0.0.1:8000/v1/"], "model": "m"}, OpenaiServerSettings),
    ({"engine": "vllm_offline", "model": "m"}, VllmOfflineSettings),
    ({"engine": "scripted"}, ScriptedSettings),
])  # fmt: skip
def test_engine_field_tells_them_apart(given: dict[str, object], kind: type) -> None:
    settings = ADAPTER.validate_python(given)
    assert type(settings) is kind
    assert ADAPTER.validate_json(json.dumps(settings.model_dump(mode="json"))) == settings


@pytest.mark.parametrize("given", [
    {"engine": "none"}, {"engine": "hf_transformers", "batchsize": 3}, {"engine": "openai_server", "model": "m", "endpoints": []},
    {"engine": "openai_server", "model": "m", "endpoints": ["127.0.0.1:8000"]}, {"engine": "hf_transformers", "batch_size": 0},
    {"engine": "openai_server", "model": "m", "endpoints": ["http://h/v1"], "api_key_env": "sk-abc-123"},
])  # fmt: skip
def test_wrong_settings_are_errors(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(given)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        HfTransformersSettings().model = "other"  # type: ignore[misc]


def test_build_scripted() -> None:
    engine = build_engine(ScriptedSettings(text="yes"))
    assert isinstance(engine, ScriptedEngine)


def test_missing_library_names_the_extra() -> None:
    if not missing_libraries("vllm_offline"):
        pytest.skip("vllm is installed here")
    with pytest.raises(EngineError, match=r"pip install -e '\.\[gpu\]'"):
        build_engine(VllmOfflineSettings(model="m"))


def test_path_without_a_model_is_an_error() -> None:
    with pytest.raises(EngineError, match="no model at /nowhere"):
        build_engine(HfTransformersSettings(model="/nowhere"))


def test_importing_engines_loads_no_heavy_library() -> None:
    modules = "settings, registry, hf_transformers, vllm_offline, openai_server, generation, response_store"
    code = f"import sys; from lgt_assets.engines import {modules}; print({{'torch', 'transformers', 'vllm'}} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )
