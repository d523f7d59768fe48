"""Command lines and devices of servers, from profiles."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import SettingsError
from lgt_assets.serving.server_command import VLLM_SERVE, _split, planned_servers, servable_models
from lgt_assets.settings import Profile, load_profile

GIVEN = {"host": "127.0.0.1", "port": 8000, "devices": (), "replicas": 1, "program": VLLM_SERVE}


def options_of(command: tuple[str, ...]) -> dict[str, str]:
    return {word: command[place + 1] for place, word in enumerate(command[:-1]) if word.startswith("--")}


def test_what_a_model_in_process_says_becomes_flags() -> None:
    profile = load_profile("one-gpu")
    assert servable_models(profile) == ["vision", "reasoning"]  # the detector is none
    vision, reasoning = planned_servers(profile, [], **GIVEN)
    assert vision.command[:3] == ("vllm", "serve", "Qwen/Qwen2.5-VL-7B-Instruct")
    options = options_of(vision.command)
    assert json.loads(options["--mm-processor-kwargs"]) == {"min_pixels": 3136, "max_pixels": 1003520}
    assert (options["--served-model-name"], options["--max-model-len"]) == ("Qwen/Qwen2.5-VL-7B-Instruct", "8192")
    assert options["--revision"] == profile.models["vision"].revision
    options = options_of(reasoning.command)
    assert options["--quantization"] == "fp8" and json.loads(options["--limit-mm-per-prompt"]) == {"image": 0}
    assert (vision.port, vision.devices, reasoning.port, reasoning.devices) == (8000, ("0",), 8001, ("1",))


def test_replicas_share_a_model_and_the_client_of_the_same_profile_knows_its_name() -> None:
    servers = planned_servers(
        load_profile("fleet"), ["reasoning"], **GIVEN | {"replicas": 3, "devices": ("2", "4", "6")}
    )
    assert [(one.port, one.devices) for one in servers] == [(8000, ("2",)), (8001, ("4",)), (8002, ("6",))]
    assert {one.served for one in servers} == {load_profile("fleet").models["reasoning"].model}


def profile_with(**model: object) -> Profile:
    roles = {"vlm": {"model": "m"}}
    return Profile.model_validate({"name": "p", "prompts": "lgt", "models": {"m": model}, "roles": roles})


def test_switches_models_of_ones_own_and_adapters() -> None:
    given = {"engine": "vllm_offline", "model": "a/b", "engine_arguments": {"enforce_eager": True, "x_y": False}}
    (server,) = planned_servers(profile_with(**given), [], **GIVEN | {"program": "serve-it --fast"})
    assert server.command[:4] == ("serve-it", "--fast", "--model", "a/b") and server.devices is None
    assert "--enforce-eager" in server.command and "--no-x-y" in server.command
    given = {"engine": "openai_server", "model": "a/b", "adapter": "a/c", "endpoints_file": "e.yaml"}
    (server,) = planned_servers(profile_with(**given, served_model="tuned"), [], **GIVEN)
    options = options_of(server.command)
    assert (options["--lora-modules"], options["--served-model-name"], server.served) == ("tuned=a/c", "a/b", "tuned")
    with pytest.raises(SettingsError, match="has an adapter: give it engine openai_server and a served_model"):
        planned_servers(profile_with(**given), [], **GIVEN)
    with pytest.raises(SettingsError, match="there is nothing to serve"):
        planned_servers(load_profile("one-gpu"), ["grounding"], **GIVEN)
    with pytest.raises(SettingsError, match="no model that a server can serve"):
        planned_servers(load_profile("embedded"), [], **GIVEN)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=6), st.booleans())
def test_every_device_is_dealt_out_once(sizes: list[int], named: bool) -> None:
    devices = [f"GPU-{number}" for number in range(sum(sizes))] if named else []
    split = _split(sizes, devices)
    if not named and len(sizes) == 1:
        assert split == [None]
        return
    assert [len(one or ()) for one in split] == sizes
    assert [name for one in split for name in one or ()] == (devices or [str(n) for n in range(sum(sizes))])
    with pytest.raises(SettingsError, match="--devices names"):
        _split(sizes, ["0"] * (sum(sizes) + 1))
