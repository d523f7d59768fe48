"""Faults planted into a real run: what a model wrote is replaced in the response store, and the asset is made again.

A :class:`Bed` is a few rendered scenes on the shipped embedded profile, grown asset by asset with the real model, once a
session (the fixture ``bed``). :meth:`Bed.plant` copies the whole state, gives chosen requests another completion, makes
one asset anew through Dagster, and returns its rows and rejections: the prompts, parsers, filters and gates are those
that users run. A clean twin is the same row in :meth:`Bed.rows`, or ``bed.plant(asset, {})``.

Example:
    >>> bed.grow("seed_questions")
    >>> row = bed.rows("seed_questions")[0]
    >>> made = bed.plant("seed_questions", {row["request_key"]: "Sorry, I cannot."})
    >>> made.reasons_of(row["request_key"])
    ['no_question']
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

SOURCE, SHARD, SCENES = "scenes", "scenes-00000", 6
# Upstream first; an asset is grown with all before it.
CHAIN = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts",
)  # fmt: skip


@dataclass(frozen=True)
class Planting:
    """What an asset made of planted completions.

    Attributes:
        rows: the asset's rows, in data order.
        rejections: the asset's rejections, in data order.
        requests_sent: requests that the store could not answer: 0 where the fault changed no later prompt.
        state: the state folder of the copy.
    """

    rows: list[dict]
    rejections: list[dict]
    requests_sent: int
    state: Path

    def reasons_of(self, request_key: str) -> list[str]:
        """Reasons why rows parsed from the completion ``request_key`` were rejected."""
        return [row["reason"] for row in self.rejections if row["request_key"] == request_key]

    def kept_from(self, request_key: str) -> list[dict]:
        """Rows that were parsed from the completion ``request_key``."""
        return [row for row in self.rows if row["request_key"] == request_key]


class Bed:
    """A state folder of few scenes, made asset by asset on demand with the embedded profile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "bed"
        self._grown: set[str] = set()
        self._plantings = 0

    def grow(self, asset: str) -> "Bed":
        """Make ``asset`` and all before it, unless that was done before; the bed itself, for chaining."""
        wanted = CHAIN[: CHAIN.index(asset) + 1]
        missing = [name for name in wanted if name not in self._grown]
        if missing:
            _materialize(self.state, missing, "embedded", scenes=SCENES)
            self._grown.update(missing)
        return self

    def rows(self, table: str, **equal: object) -> list[dict]:
        """Rows of any table of the bed in data order; with ``equal``, those whose columns have these values."""
        return _rows(self.state, table, **equal)

    def generation(self, request_key: str) -> dict:
        """The row of ``generations`` with this key: prompt, text, role."""
        return self.rows("generations", request_key=request_key)[0]

    def profile(self, **changes: Mapping) -> str:
        """Path of the embedded profile with sections changed, e.g. ``compose={"minimum_hardness": 0.1}``."""
        from lgt_assets.settings import PROFILES_FOLDER

        content = yaml.safe_load((PROFILES_FOLDER / "embedded.yaml").read_text(encoding="utf-8"))
        for section, values in changes.items():
            content[section] = (content.get(section) or {}) | dict(values)
        self._plantings += 1
        path = self.folder / f"profile-{self._plantings}.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return str(path)

    def plant(self, asset: str, texts: Mapping[str, str], **changes: Mapping) -> Planting:
        """Make ``asset`` again in a copy of the bed where the completions of ``texts`` (by request key) read otherwise.

        Args:
            asset: grown first if need be; what lies below it in the copy is stale, what lies above is the bed's.
            texts: replacement texts; they count as complete (``finish_reason`` is ``stop``).
            changes: sections of the profile that differ, as :meth:`profile` takes them.

        Raises:
            KeyError: no completion is stored under one of the keys.
        """
        self.grow(asset)
        self._plantings += 1
        state = self.folder / f"planted-{self._plantings}"
        shutil.copytree(self.state, state)
        if texts:
            _replace_completions(state, texts)
        _materialize(state, [asset], self.profile(**changes) if changes else "embedded")
        sent = _rows(state, "funnel", asset=asset)[0]["requests_sent"]
        return Planting(_rows(state, asset), _rows(state, "rejections", asset=asset), sent, state)


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    """One bed for all tests of the session."""
    return Bed(tmp_path_factory.mktemp("planted"))


@contextmanager
def environment_of(state: Path, profile: str) -> Iterator[None]:
    """``LGT_STATE``, ``LGT_PROFILE`` and ``DAGSTER_HOME`` for the block, then as before."""
    names = ("LGT_STATE", "LGT_PROFILE", "DAGSTER_HOME", "HF_HUB_OFFLINE")
    before = {name: os.environ.get(name) for name in names}
    os.environ |= {"LGT_STATE": str(state), "LGT_PROFILE": profile, "HF_HUB_OFFLINE": "1"}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _materialize(state: Path, assets: list[str], profile: str, *, scenes: int | None = None) -> None:
    """Make ``assets`` through Dagster in this process; with ``scenes``, add the source first (again: nothing new)."""
    from lgt_assets import runs
    from lgt_assets.assets.registration import register
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Tables

    with environment_of(state, profile), open_instance() as instance:
        if scenes is not None:
            register(instance, Tables().store(), SOURCE, "scenes", {"count": scenes, "seed": 0}, shard_size=scenes)
        summary = runs.run(instance, selection=",".join(assets), shards=SHARD)
    assert summary.failures == []


def _rows(state: Path, table: str, **equal: object) -> list[dict]:
    from lgt_assets.storage import DeltaStore

    lazy = DeltaStore(str(state / "tables")).scan(table)
    return lazy.filter(True, **equal).collect().to_dicts()


def _replace_completions(state: Path, texts: Mapping[str, str]) -> None:
    """Rebuild the shard's response store from ``generations``: of two texts under one key, the smaller would count."""
    from lgt_assets.engines.response_store import ResponseStore

    records = _rows(state, "generations", shard=SHARD)
    unknown = set(texts) - {record["request_key"] for record in records}
    if unknown:
        raise KeyError(f"no completion is stored under {sorted(unknown)}")
    planted = [
        record | {"text": texts[record["request_key"]], "finish_reason": "stop"}
        if record["request_key"] in texts else record
        for record in records
    ]  # fmt: skip
    root = state / "responses"
    shutil.rmtree(root / SHARD)
    with ResponseStore(root, SHARD) as store:
        store.adopt(planted)
