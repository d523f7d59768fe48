"""Which servers a profile's models need on this machine, and the command line of each."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from lgt_assets.engines.model_identity import local_folder
from lgt_assets.engines.settings import OpenaiServerSettings, VllmOfflineSettings
from lgt_assets.errors import SettingsError
from lgt_assets.settings import Profile

VLLM_SERVE = "vllm serve {model}"
_MODEL = "{model}"
Servable = OpenaiServerSettings | VllmOfflineSettings


@dataclass(frozen=True)
class Server:
    """One server to be started.

    Attributes:
        model: its name in the profile.
        served: the name that requests call the model by.
        host, port: where it listens.
        devices: GPUs it may see; None: it sees what this process sees.
        command: its command line.
        key_env: name of the variable that holds the key it asks for, if that is set; empty: none.
    """

    model: str
    served: str
    host: str
    port: int
    devices: tuple[str, ...] | None
    command: tuple[str, ...]
    key_env: str = ""

    @property
    def base(self) -> str:
        """Its address without a path."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """Its base address, as clients have it."""
        return f"{self.base}/v1"


def servable_models(profile: Profile) -> list[str]:
    """Models that the profile's roles use and a server can serve."""
    used = dict.fromkeys(role.model for role in profile.roles.values())
    return [name for name in used if isinstance(profile.models[name], Servable)]


def planned_servers(
    profile: Profile, models: Sequence[str], *, host: str, port: int, devices: Sequence[str], replicas: int, program: str
) -> list[Server]:  # fmt: skip
    """Servers for ``models``, on ports from ``port`` on, each with as many of ``devices`` as its model is split over.

    Args:
        profile: in force.
        models: names under the profile's ``models``; none: :func:`servable_models`.
        host: address to listen on.
        port: of the first.
        devices: GPUs as CUDA_VISIBLE_DEVICES names them; none: one server sees all there are, several count from 0.
        replicas: servers for each model.
        program: the command's beginning; ``{model}`` in it stands for the model, which else follows as ``--model``.

    Raises:
        SettingsError: no such model, no server for its engine, or another number of devices than the servers take.
    """
    chosen = list(dict.fromkeys(models)) or servable_models(profile)
    if not chosen:
        raise SettingsError(
            f"profile {profile.name!r} has no model that a server can serve (vllm_offline, openai_server)"
        )
    wanted = [(name, _servable(profile, name)) for name in chosen for _replica in range(replicas)]
    split = _split([settings.tensor_parallel_size if isinstance(settings, VllmOfflineSettings)
                    else settings.devices_per_endpoint for _name, settings in wanted], devices)  # fmt: skip
    return [
        Server(
            name, _served(settings), host, port + number, seen,
            (*_program(program, settings), *_listening(settings, host, port + number), *_engine_flags(settings)),
            settings.api_key_env if isinstance(settings, OpenaiServerSettings) else "",
        )
        for number, ((name, settings), seen) in enumerate(zip(wanted, split, strict=True))
    ]  # fmt: skip


def _servable(profile: Profile, name: str) -> Servable:
    if name not in profile.models:
        raise SettingsError(f"profile {profile.name!r} has no model {name!r}, only {', '.join(profile.models)}")
    settings = profile.models[name]
    if not isinstance(settings, Servable):
        raise SettingsError(
            f"model {name!r} of profile {profile.name!r} has engine {settings.engine}, which runs in the process of a run: "
            "there is nothing to serve"
        )
    if settings.adapter and (
        isinstance(settings, VllmOfflineSettings) or settings.served_model in ("", settings.model)
    ):
        raise SettingsError(
            f"model {name!r} has an adapter: give it engine openai_server and a served_model of its own, or merge it"
        )
    return settings


def _split(sizes: Sequence[int], devices: Sequence[str]) -> list[tuple[str, ...] | None]:
    """Devices for each server, in order."""
    if not devices and len(sizes) == 1:
        return [None]
    names = list(devices) or [str(number) for number in range(sum(sizes))]
    if len(names) != sum(sizes):
        raise SettingsError(
            f"--devices names {len(names)} GPUs, and the servers take {' + '.join(map(str, sizes))}: name {sum(sizes)}, or "
            "change --replicas, tensor_parallel_size or devices_per_endpoint"
        )
    if len(set(names)) < len(names):
        raise SettingsError(f"--devices names a GPU twice: {','.join(names)}")
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [tuple(names[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _weights(settings: Servable) -> str:
    folder = local_folder(settings.model)
    return settings.model if folder is None else str(folder)


def _served(settings: Servable) -> str:
    served = settings.served_model if isinstance(settings, OpenaiServerSettings) else ""
    return served or settings.model


def _program(program: str, settings: Servable) -> tuple[str, ...]:
    try:
        words = shlex.split(program)
    except ValueError as error:
        raise SettingsError(f"--command {program!r} is no command line: {error}") from error
    weights = _weights(settings)
    if any(_MODEL in word for word in words):
        return tuple(word.replace(_MODEL, weights) for word in words)
    return (*words, "--model", weights)


def _listening(settings: Servable, host: str, port: int) -> tuple[str, ...]:
    base = settings.model if settings.adapter else _served(settings)
    return ("--host", host, "--port", str(port), "--served-model-name", base)


def _engine_flags(settings: Servable) -> list[str]:
    """What the settings say, as flags of ``vllm serve``; what they leave open is left to vLLM."""
    options: dict[str, object] = {}
    if settings.revision and local_folder(settings.model) is None:
        options["revision"] = settings.revision
    if isinstance(settings, OpenaiServerSettings):
        options |= {"tensor_parallel_size": settings.devices_per_endpoint} if settings.devices_per_endpoint > 1 else {}
        if settings.adapter:
            options |= {"enable_lora": True, "lora_modules": f"{settings.served_model}={settings.adapter}"}
        return _flags(options)  # limits of pixels go with each request
    pixels = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
    return _flags(
        options
        | {
            "dtype": settings.dtype,
            "max_model_len": settings.max_model_len,
            "gpu_memory_utilization": settings.gpu_memory_utilization,
            "tensor_parallel_size": settings.tensor_parallel_size,
            "limit_mm_per_prompt": {"image": settings.images_per_prompt},
            "max_num_seqs": settings.max_num_seqs,
            "mm_processor_kwargs": {name: value for name, value in pixels.items() if value is not None} or None,
        }
        | settings.engine_arguments
    )


def _flags(options: dict[str, object]) -> list[str]:
    flags: list[str] = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        if value is None:
            continue
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            flags += [f"--{flag}", json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)]
    return flags
