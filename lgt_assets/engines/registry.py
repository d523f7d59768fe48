"""From settings to an engine; each engine's libraries are looked for first and imported only when it is asked for."""

import importlib.util

from lgt_assets.engines.base import Engine
from lgt_assets.engines.settings import (
    EngineSettings,
    GroundingDinoSettings,
    HfTransformersSettings,
    OpenaiServerSettings,
    ScriptedSettings,
    VllmOfflineSettings,
)
from lgt_assets.errors import EngineError

_LIBRARIES = {
    "hf_transformers": (("torch", "transformers"), "embedded"),
    "grounding_dino": (("torch", "transformers"), "embedded"),
    "vllm_offline": (("vllm",), "gpu"),
}


def missing_libraries(engine: str) -> list[str]:
    """Libraries that the engine of this kind needs and this Python lacks."""
    libraries, _extra = _LIBRARIES.get(engine, ((), ""))
    return [name for name in libraries if importlib.util.find_spec(name) is None]


def install_command(engine: str) -> str:
    """The command, in a checkout, that installs what an engine of this kind needs."""
    _libraries, extra = _LIBRARIES.get(engine, ((), ""))
    return f"pip install -e '.[{extra}]'" if extra else "pip install -e ."


def build_engine(settings: EngineSettings) -> Engine:
    """The engine that ``settings`` describe. It loads its model, or connects, with the first request.

    Raises:
        EngineError: a library is missing (the message has the command that installs it), or no model lies at the path.
    """
    missing = missing_libraries(settings.engine)
    if missing:
        raise EngineError(f"engine {settings.engine} needs {', '.join(missing)}: {install_command(settings.engine)}")
    if isinstance(settings, HfTransformersSettings):
        from lgt_assets.engines.hf_transformers import HfTransformersEngine

        return HfTransformersEngine(settings)
    if isinstance(settings, OpenaiServerSettings):
        from lgt_assets.engines.openai_server import OpenaiServerEngine

        return OpenaiServerEngine(settings)
    if isinstance(settings, VllmOfflineSettings):
        from lgt_assets.engines.vllm_offline import VllmOfflineEngine

        return VllmOfflineEngine(settings)
    if isinstance(settings, GroundingDinoSettings):
        from lgt_assets.engines.detector import DetectorEngine
        from lgt_assets.engines.grounding_dino import GroundingDino

        return DetectorEngine(GroundingDino(settings))
    if isinstance(settings, ScriptedSettings):
        from lgt_assets.engines.base import ModelIdentity
        from lgt_assets.engines.scripted import ScriptedEngine

        return ScriptedEngine(settings.text, identity=ModelIdentity(settings.model, settings.revision))
    raise EngineError(f"no engine for settings of type {type(settings).__name__}")
