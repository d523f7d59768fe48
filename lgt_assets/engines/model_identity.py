"""Where a model lies and what names it: equal files give equal identities on every machine and in every engine."""

import hashlib
import importlib.resources
import json
from functools import lru_cache
from pathlib import Path

from lgt_assets.engines.base import ModelIdentity
from lgt_assets.engines.settings import EMBEDDED_MODEL
from lgt_assets.errors import EngineError
from lgt_assets.identity import digest

_DECIDING_PATTERNS = (
    "*.safetensors", "*.bin", "config.json", "generation_config.json", "adapter_config.json", "preprocessor_config.json",
    "processor_config.json", "tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json",
    "chat_template.*",
)  # fmt: skip
_BLOCK_BYTES = 1 << 20


def embedded_folder() -> Path:
    """The folder of the model that comes with the package.

    Raises:
        EngineError: this installation holds no weights.
    """
    folder = Path(str(importlib.resources.files("lgt_assets") / "embedded" / "weights"))
    if not (folder / "config.json").is_file():
        raise EngineError(
            f"the embedded model's weights are missing from {folder}; reinstall the package or run `lgt embedded train`"
        )
    return folder


def local_folder(model: str) -> Path | None:
    """The folder of ``model`` on this machine, or None where it is a hub name.

    Raises:
        EngineError: ``model`` looks like a path but no model lies there.
    """
    if model == EMBEDDED_MODEL:
        return embedded_folder()
    path = Path(model).expanduser()
    if (path / "config.json").is_file() or (path / "adapter_config.json").is_file():
        return path.resolve()
    if path.is_absolute() or model.startswith(("~", ".")) or path.exists():
        raise EngineError(f"no model at {path}: a model's folder holds a config.json")
    return None


def require_pinned(model: str, revision: str) -> None:
    """Refuse a hub model without a commit: its stored answers could be another model's.

    Raises:
        EngineError: ``model`` is a hub name and ``revision`` is empty.
    """
    if not revision and local_folder(model) is None:
        raise EngineError(
            f"model {model!r} is a hub name: set `revision` to a commit, or the stored answers could be another model's"
        )


def folder_revision(folder: Path) -> str:
    """sha256 (64 hex) over weights, config, tokenizer, processor and chat template; notes and model cards do not count."""
    files = sorted({file for pattern in _DECIDING_PATTERNS for file in folder.glob(pattern) if file.is_file()})
    stamp = tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _revision_of_files(folder, stamp)


@lru_cache(maxsize=32)
def _revision_of_files(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> str:
    """Hash the files once per process while sizes and times (``stamp``) stand."""
    return digest([[name, _file_sha256(folder / name)] for name, _size, _time in stamp])


def _file_sha256(file: Path) -> str:
    sha256 = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            sha256.update(block)
    return sha256.hexdigest()


def folder_chat_template_sha256(folder: Path) -> str:
    """sha256 (64 hex) of a folder's chat template as text; empty where there is none."""
    jinja, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    template = jinja.read_text("utf-8") if jinja.is_file() else ""
    if not template:
        for file in (folder / "chat_template.json", config):
            template = template or (
                json.loads(file.read_text("utf-8")).get("chat_template") or "" if file.is_file() else ""
            )
    return template_sha256(template) if template else ""


def template_sha256(template: object) -> str:
    """sha256 (64 hex) of a chat template: its text, or the canonical JSON of several named ones."""
    return hashlib.sha256((template if isinstance(template, str) else digest(template)).encode()).hexdigest()


def model_identity(
    model: str,
    *,
    revision: str = "",
    adapter: str = "",
    chat_template_sha256: str = "",
    min_pixels: int | None = None,
    max_pixels: int | None = None,
) -> ModelIdentity:
    """The identity of ``model``: a local folder goes by its base name and the hash of its files, a hub model by name and commit.

    Raises:
        EngineError: ``model`` or ``adapter`` is a path without a model.
    """
    folder = local_folder(model)
    adapter_folder = local_folder(adapter) if adapter else None
    if folder is not None:
        revision = revision or folder_revision(folder)
        chat_template_sha256 = chat_template_sha256 or folder_chat_template_sha256(folder)
    return ModelIdentity(
        name=model if folder is None or model == EMBEDDED_MODEL else folder.name,
        revision=revision,
        chat_template_sha256=chat_template_sha256,
        adapter=adapter if adapter_folder is None else f"{adapter_folder.name}@{folder_revision(adapter_folder)}",
        min_pixels=min_pixels or 0,
        max_pixels=max_pixels or 0,
    )
