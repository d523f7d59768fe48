"""What assets are given: the tables, and models by role with the response store before them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from lgt_assets.engines.base import Engine, ModelIdentity
from lgt_assets.engines.generation import Asking, Usage
from lgt_assets.engines.registry import build_engine
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import EngineSettings
from lgt_assets.engines.shared_chunks import SharedChunks
from lgt_assets.object_store import ObjectStore
from lgt_assets.progress import Progress, report
from lgt_assets.prompts.templates import PromptSet, prompt_set
from lgt_assets.run_fence import RunFence, fence_of
from lgt_assets.settings import Profile, load_profile
from lgt_assets.spool import Spool
from lgt_assets.state import response_cache_bytes, responses_folder, shared_store, tables_folder
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


class Tables(dg.ConfigurableResource):
    """The Delta tables below ``root`` (default: ``$LGT_TABLES``, or ``$LGT_STATE/tables``), a folder or a URL."""

    root: str = ""
    _fence: RunFence | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """In a run, nothing is written once the run is another process's."""
        self._fence = fence_of(context)

    def store(self) -> DeltaStore:
        """The store that reads and writes them."""
        root = self.root or tables_folder()
        return DeltaStore(root, may_write=self._fence.require) if self._fence else DeltaStore(root)


class Models(dg.ConfigurableResource):
    """Models by role as the profile binds them; each is loaded once a process, and freed at the run's end."""

    profile_name: str = ""
    responses: str = ""
    _fence: RunFence | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """In a run, nothing is asked once the run is another process's."""
        self._fence = fence_of(context)

    @property
    def profile(self) -> Profile:
        """The profile in force (default: ``$LGT_PROFILE``)."""
        return _profile(self.profile_name or os.environ.get("LGT_PROFILE", ""))

    @property
    def prompts(self) -> PromptSet:
        """The profile's prompt set."""
        return prompt_set(self.profile.prompts)

    def identity(self, role: str) -> ModelIdentity:
        """What names the model that plays ``role``; nothing is loaded for it where the settings say all.

        Raises:
            SettingsError: the profile does not bind the role.
            EngineError: no model lies at the settings' path, or a library is missing.
        """
        settings = self.profile.models[self.profile.role(role).model]
        return (_open_engines.get(settings.model_dump_json()) or build_engine(settings)).identity

    def open_responses(self, shard: str, tables: DeltaStore, *, read_only: bool = False) -> ResponseStore:
        """The shard's response store; where its files were lost, what ``generations`` holds stands in."""
        files_lost = not self.stores_responses(shard)
        store = ResponseStore(self.response_root, shard, read_only=read_only, shared=self.shared_responses)
        if files_lost and not read_only and tables.exists("generations"):
            for rows in tables.scan("generations", shards=[shard]).collect_batches():
                store.adopt(rows.iter_rows(named=True))
        return store

    def stores_responses(self, shard: str) -> bool:
        """Whether the shard's response store has files, here or where machines share them."""
        folder, shared = self.response_root / shard, self.shared_responses
        return shared.holds(folder) if shared is not None else folder.exists()

    @property
    def response_root(self) -> Path:
        """Folder of all shards' response stores."""
        return Path(self.responses or responses_folder())

    @property
    def shared_responses(self) -> SharedChunks | None:
        """Where machines share completions, if they do."""
        root = shared_store()
        return SharedChunks(ObjectStore(root), response_cache_bytes()) if root else None

    def answer(
        self, planned: Iterable[Planned], *, role: str, asset: str, shard: str, responses: ResponseStore, usage: Usage,
        failures: Spool | None = None,
    ) -> Iterator[Answered]:  # fmt: skip
        """Completions of ``planned``, in its order, while later ones are still made; only what the store lacks is sent.

        ``usage`` and ``failures`` are added to. Planned requests that failed are left out, if the profile allows so many.

        Raises (while iterating):
            EngineError: the model cannot answer, or more requests failed than allowed; those that were answered are kept.
        """
        settings = self.profile.models[self.profile.role(role).model]
        reused_before, sent_before, tokens_before = usage.requests_reused, usage.requests_sent, usage.completion_tokens

        def on_progress(done: int, total: int, finished: bool) -> None:
            reused = usage.requests_reused - reused_before
            sent = usage.requests_sent - sent_before
            tokens = usage.completion_tokens - tokens_before
            report(Progress(asset, shard, role, done, total, sent, reused, finished, tokens))

        wanted = ((p.request, p.context) for p in self._while_ours(planned))
        replies = Asking(
            _engine(settings), responses, wanted, asset=asset, role=role, usage=usage, failures=failures,
            maximum_failure_share=self.profile.maximum_failure_share, devices=settings.devices, on_progress=on_progress,
        )  # fmt: skip
        for reply in replies:
            yield Answered(reply.request_key, reply.completion, reply.item)

    def _while_ours(self, planned: Iterable[Planned]) -> Iterator[Planned]:
        for one in planned:
            if self._fence:
                self._fence.require_lately()
            yield one

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Free the models, also after a failure."""
        if not _holders:
            close_engines()
