"""The files in which clients find servers: one a model, below the state folder; see ``endpoints_file`` of openai_server."""

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

import yaml

from lgt_assets.engines.endpoint_settings import EndpointSettings, read_endpoints
from lgt_assets.errors import SettingsError

FOLDER = "servers"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HEAD = "# Servers of this model, kept by lgt serve and read again and again by runs; others may be added by hand.\n"


def list_path(state: Path, model: str) -> Path:
    """The file that lists the servers of ``model``.

    Raises:
        SettingsError: the model's name in the profile makes no file name.
    """
    if not _NAME.fullmatch(model):
        raise SettingsError(f"model {model!r} makes no file name: call it by letters, digits, . _ - in the profile")
    return state / FOLDER / f"{model}.yaml"


def enlist(path: Path, address: str) -> None:
    """Add a server; what else the file lists stays.

    Raises:
        SettingsError: the file lists something else than servers.
    """
    _change(path, lambda listed: [*_without(listed, address), EndpointSettings(address=address)])


def delist(path: Path, address: str) -> None:
    """Take a server off the list: clients send it nothing more.

    Raises:
        SettingsError: the file lists something else than servers.
    """
    _change(path, lambda listed: _without(listed, address))


def _without(listed: list[EndpointSettings], address: str) -> list[EndpointSettings]:
    return [endpoint for endpoint in listed if endpoint.address != address]


def _change(path: Path, change: Callable[[list[EndpointSettings]], list[EndpointSettings]]) -> None:
    """Under a lock, and in one step for those who read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        listed = list(read_endpoints(path)) if path.exists() else []
        content = [endpoint.model_dump(exclude_defaults=True) for endpoint in change(listed)]
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(_HEAD + yaml.safe_dump({"endpoints": content}, sort_keys=False), encoding="utf-8")
        partial.rename(path)
