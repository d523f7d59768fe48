"""What is installed, which profiles work on this machine, and the command that mends what does not."""

import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lgt_assets.engines.model_identity import local_folder
from lgt_assets.engines.openai_fleet import listed_now
from lgt_assets.engines.registry import missing_libraries
from lgt_assets.engines.settings import EngineSettings, OpenaiServerSettings, ScriptedSettings, VllmOfflineSettings
from lgt_assets.errors import EngineError, LgtError, PromptError, SettingsError
from lgt_assets.instance_files import DEFAULT_INSTANCE, FILE, configuration_of, instance_in_force, wished_instance
from lgt_assets.object_store import ObjectStore
from lgt_assets.prompts.templates import TEMPLATE_OF_ROLE, prompt_set
from lgt_assets.settings import DEFAULT_PROFILE, PROFILES_FOLDER, Profile, load_profile, state_folder
from lgt_assets.state import shared_store

ENDPOINT_SECONDS = 3.0
ENGINE_EXTRAS = {"hf_transformers": "embedded", "grounding_dino": "embedded", "vllm_offline": "gpu"}
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, what was found, and the command or step that mends it."""

    subject: str
    ok: bool
    found: str
    mend: str = ""


def install_command(extra: str = "") -> str:
    """The command that installs this package with ``extra`` into this very Python, from the checkout where it is one."""
    checkout = Path(__file__).parent.parent
    suffix = f"[{extra}]" if extra else ""
    is_checkout = (checkout / "pyproject.toml").is_file()
    target = ["-e", f"{checkout}{suffix}"] if is_checkout else [f"lgt_assets{suffix}"]
    return shlex.join([sys.executable, "-m", "pip", "install", *target])


def installed_packages() -> list[Finding]:
    """Every package that the core and each extra asks for, with its version here."""
    findings = [Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or later")]
    try:
        requirements = importlib.metadata.requires("lgt_assets") or []
    except importlib.metadata.PackageNotFoundError:
        return [*findings, Finding("lgt_assets", False, "not installed", install_command())]
    for requirement in requirements:
        extra = re.search(r"extra == ['\"]([^'\"]+)", requirement)
        findings.append(_package(_NAME.match(requirement)[0], extra[1] if extra else ""))
    return list(dict.fromkeys(findings))


def _package(name: str, extra: str) -> Finding:
    subject = f"{name} [{extra}]" if extra else name
    try:
        return Finding(subject, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        # An extra that is not there is a choice; a core package that is not there is an error.
        return Finding(subject, bool(extra), "not installed", install_command(extra))


def machine() -> list[Finding]:
    """The state folder, Dagster's instance in it, and the GPU."""
    state = state_folder()
    existing = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    try:
        tempfile.TemporaryFile(dir=existing).close()
        found, writable = f"{state}, {free:,.0f} GB free", True
    except OSError as error:
        found, writable = f"{state}: {error.strerror}", False
    return [
        Finding("state folder", writable, found, "set LGT_STATE to a folder that you can write"),
        *shared_findings(),
        instance_finding(state / "dagster"),
        Finding("GPU", True, gpu_name() or "none"),
    ]


def shared_findings() -> list[Finding]:
    """Whether objects are written, read and removed below ``$LGT_STORE``, if it is set."""
    root = shared_store()
    if not root:
        return []
    store, key, content = ObjectStore(root), f"doctor/{uuid.uuid4().hex}", os.urandom(16)
    try:
        store.write(key, content)
        told = "written, read and removed" if store.read(key) == content else "an object was read that nobody wrote"
        store.remove([key])
    except (LgtError, FileNotFoundError) as error:
        return [Finding("object store", False, f"{root}: {error}", "see docs/object-stores.md")]
    return [Finding("object store", told.startswith("written"), f"{root}: {told}", "see docs/object-stores.md")]


def instance_finding(home: Path) -> Finding:
    """Which configuration Dagster has or would get, who keeps its records and starts its runs, and what that lacks here."""
    try:
        name = wished_instance(home) or instance_in_force(home)
        own = not name and (home / FILE).exists()
        text = (home / FILE).read_text(encoding="utf-8") if own else configuration_of(name or DEFAULT_INSTANCE)
        settings = yaml.safe_load(text) or {}
    except (SettingsError, OSError, yaml.YAMLError) as error:
        return Finding("instance", False, str(error), f"mend or remove {home / FILE}, or set LGT_INSTANCE")
    said = f"edited: {home / FILE}" if own else name or DEFAULT_INSTANCE
    storage = ", ".join(settings.get("storage") or {}) or "sqlite"
    launcher = (settings.get("run_launcher") or {}).get("class", "this machine")
    unset = sorted(name for name in variables_named(settings) - {"DAGSTER_HOME"} if name not in os.environ)
    modules = sorted({top for part in _parts(settings) if (top := str(part.get("module", "")).partition(".")[0])})
    if "postgres" in storage:
        modules.append("dagster_postgres")
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    mend = [f"set {', '.join(unset)}"] if unset else []
    if missing:
        extra = {"dagster_postgres", "dagster_ray"} & set(missing)
        mend.append(install_command("cluster") if extra else f"install {', '.join(missing).replace('_', '-')}")
    lacks = "".join(
        [f"; not set: {', '.join(unset)}" if unset else "", f"; not installed: {', '.join(missing)}" if missing else ""]
    )
    return Finding("instance", not mend, f"{said}; records: {storage}; runs: {launcher}{lacks}", "; ".join(mend))


def _parts(settings: object) -> Iterator[dict]:
    """Every mapping in a configuration."""
    values = settings.values() if isinstance(settings, dict) else settings if isinstance(settings, list) else ()
    if isinstance(settings, dict):
        yield settings
    for value in values:
        yield from _parts(value)


def variables_named(settings: object) -> set[str]:
    """Environment variables that a configuration names: mappings of the one key `env`."""
    return {str(part["env"]) for part in _parts(settings) if set(part) == {"env"}}


def gpu_name() -> str:
    """Name of the first CUDA GPU, or empty: by torch where it is installed, else by the driver's files."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        model = re.search(r"Model:\s*(.+)", file.read_text(encoding="utf-8"))
        return model[1] if model else "NVIDIA GPU"
    return ""


def profile_names() -> list[str]:
    """Shipped profiles, and the one that ``$LGT_PROFILE`` names; the default first."""
    shipped = sorted(
        (path.stem for path in PROFILES_FOLDER.glob("*.yaml")), key=lambda name: (name != DEFAULT_PROFILE, name)
    )
    chosen = os.environ.get("LGT_PROFILE")
    return shipped if not chosen or chosen in shipped else [chosen, *shipped]


def profile_findings(name: str) -> list[Finding]:
    """What the profile needs, item by item; it works here when all are ok."""
    try:
        profile = load_profile(name)
        prompts = prompt_set(profile.prompts)
        for role in profile.roles:
            prompts.template_hash(TEMPLATE_OF_ROLE.get(role, role))
    except (SettingsError, PromptError) as error:
        return [Finding(f"profile {name}", False, str(error), "mend the file")]
    return [finding for model in _used_models(profile) for finding in _model_findings(model, profile.models[model])]


def _used_models(profile: Profile) -> list[str]:
    return list(dict.fromkeys(role.model for role in profile.roles.values()))


def _model_findings(name: str, settings: EngineSettings) -> Iterator[Finding]:
    missing = missing_libraries(settings.engine)
    subject = f"model {name} by {settings.engine}"
    if missing:
        yield Finding(
            subject, False, f"{', '.join(missing)} not installed", install_command(ENGINE_EXTRAS[settings.engine])
        )
    if isinstance(settings, ScriptedSettings):
        return
    if isinstance(settings, OpenaiServerSettings):
        try:
            listed = listed_now(settings)
        except SettingsError as error:
            yield Finding(
                f"endpoints of {name}", False, str(error), "start the servers: lgt serve; or mend the profile"
            )
            return
        for endpoint in listed:
            yield endpoint_finding(endpoint.address, settings)
        if not listed:
            yield Finding(f"endpoints of {name}", False, "none is listed", "start the servers: lgt serve")
        return
    if isinstance(settings, VllmOfflineSettings) and not gpu_name():
        yield Finding(
            subject, False, "no GPU", "run it where a CUDA GPU is, or LGT_PROFILE=endpoint with a server that has one"
        )
    yield _weights_finding(settings.model, settings.revision)


def endpoint_finding(endpoint: str, settings: OpenaiServerSettings) -> Finding:
    """Whether a server answers ``GET <endpoint>/models`` within :data:`ENDPOINT_SECONDS`."""
    model = settings.served_model or settings.model
    mend = f"start a server: vllm serve {settings.model}; or write its address into a copy of the profile (LGT_PROFILE=my.yaml)"
    key = os.environ.get(settings.api_key_env, "") if settings.api_key_env else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        request = urllib.request.Request(f"{endpoint}/models", headers=headers)
        with urllib.request.urlopen(request, timeout=ENDPOINT_SECONDS) as response:
            listed = response.read(1_000_000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            mend = f"export {settings.api_key_env or 'the variable that api_key_env names'}=your key"
        return Finding(f"endpoint {endpoint}", False, f"answers {error.code}", mend)
    except OSError as error:
        return Finding(f"endpoint {endpoint}", False, f"no answer ({error})", mend)
    if model not in listed:
        return Finding(f"endpoint {endpoint}", False, f"does not serve {model}", mend)
    return Finding(f"endpoint {endpoint}", True, f"serves {model}")


def _weights_finding(model: str, revision: str) -> Finding:
    """Where the weights lie: in a folder, in the hub's cache on this machine, or still on the hub."""
    subject = f"weights {model}"
    try:
        folder = local_folder(model)
    except EngineError as error:
        return Finding(subject, False, str(error), "correct the path in the profile")
    if folder is not None:
        return Finding(subject, True, f"in {folder}")
    mend = f"hf download {model}" + (f" --revision {revision}" if revision else "")
    if importlib.util.find_spec("huggingface_hub") is None:
        install = shlex.join([sys.executable, "-m", "pip", "install", "huggingface_hub"])
        return Finding(subject, False, "not on this machine", f"{install} && {mend}")
    from huggingface_hub import try_to_load_from_cache

    cached = isinstance(try_to_load_from_cache(model, "config.json", revision=revision or None), str)
    return Finding(subject, cached, "in the hub's cache" if cached else "not on this machine", mend)
