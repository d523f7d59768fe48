"""What assets are given: the tables, and models by role with the response store before them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import dagster as dg

from lgt_assets.engines.base import Engine, request_key
from lgt_assets.engines.generation import answer
from lgt_assets.engines.registry import build_engine
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import EngineSettings
from lgt_assets.progress import Progress, report
from lgt_assets.prompts.templates import PromptSet, prompt_set
from lgt_assets.settings import Profile, load_profile, state_folder
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.planned import Answered, Planned

_open_engines: dict[str, Engine] = {}
_holders = 0


@contextmanager
def engines_kept() -> Iterator[None]:
    """Keep loaded models across the runs that the block makes in this process; close them at its end."""
    global _holders
    _holders += 1
    try:
        yield
    finally:
        _holders -= 1
        if not _holders:
            close_engines()


def close_engines() -> None:
    """Close every model this process has loaded."""
    while _open_engines:
        _open_engines.popitem()[1].close()


def _engine(settings: EngineSettings) -> Engine:
    """The model, loaded once; models in vLLM's process take turns, as each wants the GPU to itself."""
    key = settings.model_dump_json()
    if key not in _open_engines:
        for other in [key for key, engine in _open_engines.items() if engine.kind == settings.engine == "vllm_offline"]:
            _open_engines.pop(other).close()
        _open_engines[key] = build_engine(settings)
    return _open_engines[key]


@lru_cache(maxsize=4)
def _profile(name: str) -> Profile:
    return load_profile(name or None)


@dataclass
class Usage:
    """Requests, tokens and seconds that one shard of one asset took."""

    requests_sent: int = 0
    requests_reused: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


class Tables(dg.ConfigurableResource):
    """The Delta tables below ``root`` (default: ``$LGT_STATE/tables``), a folder or a URL."""

    root: str = ""

    def store(self) -> DeltaStore:
        """The store that reads and writes them."""
        return DeltaStore(self.root or str(state_folder() / "tables"))


class Models(dg.ConfigurableResource):
    """Models by role as the profile binds them; each is loaded once a process, and freed at the run's end."""

    profile_name: str = ""
    responses: str = ""

    @property
    def profile(self) -> Profile:
        """The profile in force (default: ``$LGT_PROFILE``)."""
        return _profile(self.profile_name)

    @property
    def prompts(self) -> PromptSet:
        """The profile's prompt set."""
        return prompt_set(self.profile.prompts)

    def open_responses(self, shard: str, tables: DeltaStore) -> ResponseStore:
        """The shard's response store; where its files were lost, what ``generations`` holds stands in."""
        root = Path(self.responses or state_folder() / "responses")
        files_lost = not (root / shard).exists()
        store = ResponseStore(root, shard)
        if files_lost:
            store.adopt(tables.read("generations", shards=[shard]).to_dicts())
        return store

    def answer(
        self, planned: Sequence[Planned], *, role: str, asset: str, shard: str, responses: ResponseStore, usage: Usage
    ) -> list[Answered]:
        """Completions of ``planned``, in its order; only what the store lacks is sent. ``usage`` is added to.

        Raises:
            EngineError: requests failed after every retry; those that were answered are kept.
        """
        if not planned:
            return []
        engine = _engine(self.profile.models[self.profile.role(role).model])
        started = time.monotonic()

        requests = [p.request for p in planned]
        keys = [request_key(engine.identity, request) for request in requests]
        reused = sum(key in responses for key in set(keys))

        def on_progress(done: int, total: int) -> None:
            report(Progress(asset, shard, role, done, total, sent=max(0, done - reused), reused=min(done, reused)))

        answers = answer(engine, responses, requests, asset=asset, role=role, on_progress=on_progress)
        on_progress(len(answers.completions), len(answers.completions))
        usage.requests_sent += answers.sent
        usage.requests_reused += answers.reused
        usage.prompt_tokens += answers.prompt_tokens
        usage.completion_tokens += answers.completion_tokens
        usage.seconds += time.monotonic() - started
        return [Answered(key, answers.completions[key], p.context) for key, p in zip(keys, planned, strict=True)]

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Free the models, also after a failure."""
        if not _holders:
            close_engines()
