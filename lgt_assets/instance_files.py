"""Shipped configurations of the Dagster instance, one a tier, and the one that is in force: a file in the state folder."""

import os
import tempfile
from pathlib import Path

from lgt_assets.errors import SettingsError

DEFAULT_INSTANCE = "laptop"
_PACKAGE = Path(__file__).parent
# In an installed package it lies inside, in a checkout beside.
FOLDER = _PACKAGE / "deploy" if (_PACKAGE / "deploy").is_dir() else _PACKAGE.parent / "deploy"
FILE = "dagster.yaml"


def instance_names() -> list[str]:
    """Shipped instances, the default first."""
    names = sorted(path.parent.name for path in FOLDER.glob(f"*/{FILE}"))
    return sorted(names, key=lambda name: name != DEFAULT_INSTANCE)


def configuration_of(name_or_path: str) -> str:
    """Text of a shipped instance's configuration, or of a file of your own.

    Raises:
        SettingsError: there is no such instance or file.
    """
    own = name_or_path.endswith((".yaml", ".yml"))
    path = Path(name_or_path) if own else FOLDER / name_or_path / FILE
    if not own and name_or_path not in instance_names():
        shipped = ", ".join(instance_names())
        raise SettingsError(
            f"no instance {name_or_path!r}: shipped are {shipped}; or give the path of a .yaml file of your own"
        )
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"the instance's configuration {path} cannot be read: {error.strerror}") from error


def instance_in_force(home: Path) -> str:
    """Name of the shipped instance whose file lies in ``home``; "" if there is none, or somebody edited it."""
    try:
        text = (home / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    return next((name for name in instance_names() if configuration_of(name) == text), "")


def wished_instance(home: Path) -> str:
    """What ``$LGT_INSTANCE`` says, where it is heard: an edited configuration in ``home`` stays in force; "" otherwise."""
    edited = (home / FILE).exists() and not instance_in_force(home)
    return "" if edited else os.environ.get("LGT_INSTANCE", "")


def put_configuration(home: Path, chosen: str = "") -> None:
    """Put the chosen configuration into ``home``; an edited one that is there is the user's.

    Without a choice the default is put where there is none. A shipped one that nobody edited is exchanged for another.

    Args:
        home: the folder, made if need be.
        chosen: name of a shipped instance, or the path of a file.

    Raises:
        SettingsError: there is no such instance, or another configuration lies there that is not as shipped.
        OSError: the folder cannot be written.
    """
    text = configuration_of(chosen or DEFAULT_INSTANCE)
    home.mkdir(parents=True, exist_ok=True)
    path = home / FILE
    if path.exists():
        if not chosen or path.read_text(encoding="utf-8") == text:
            return
        if not instance_in_force(home):
            raise SettingsError(
                f"{path} is not as it was shipped, and stays as it is: move it away to use the instance {chosen}, or edit it"
            )
    handle, temporary = tempfile.mkstemp(dir=home)
    os.close(handle)
    Path(temporary).write_text(text, encoding="utf-8")
    os.replace(temporary, path)
