"""What a run would ask: the assets' own functions over what is stored, up to the first answer that is missing.

Nothing is sent and nothing is written. Where every answer of an asset is stored, its rows are made in memory and the next asset
plans on them, so an edited prompt or parser shows all it leads to. Where answers are missing, what follows is estimated.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Protocol

import polars as pl

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.costs import Rates, pictures_by_shard, recorded_rates
from lgt_assets.engines.base import Completion, request_key
from lgt_assets.resources import Models
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.planned import Answered, Planned

PLANNED, ESTIMATED, UNKNOWN = "planned", "estimated", "unknown"


class Stored(Protocol):
    """Completions by key."""

    def __contains__(self, key: object, /) -> bool: ...
    def __getitem__(self, key: str, /) -> Completion: ...


@dataclass
class Asked:
    """Distinct requests of one asset, shard and role; ``basis`` is planned or estimated, or unknown with no numbers."""

    asset: str
    shard: str
    role: str
    basis: str
    to_send: int | None = 0
    reused: int = 0


class _Unanswered(Exception):
    """An answer is missing: the asset's function cannot go on."""


@dataclass
class DryShard(Shard):
    """A shard that counts what it is asked, and answers from what is stored."""

    stored: Stored = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    planned: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)

    def ask(self, role: str, planned: Iterable[Planned]) -> Iterator[Answered]:
        """The stored completions, if all are; every request is counted first.

        Raises (while iterating):
            _Unanswered: some are missing.
        """
        identity, count, answered = self.models.identity(role), Asked(self.asset, self.key, role, PLANNED), []
        self.asked.append(count)
        for one in planned:
            key = request_key(identity, one.request)
            held = key in self.stored
            self.planned.add(key)
            if key not in self.counted:
                self.counted.add(key)
                count.reused += held
                count.to_send += not held
            answered.append((key, one.context))
        if count.to_send:
            raise _Unanswered
        for key, context in answered:
            yield Answered(key, self.stored[key], context)


def dry_run(models: Models, store: DeltaStore, assets: Sequence[str], shards: Sequence[str]) -> list[Asked]:
    """Requests that `lgt run` of ``assets`` for ``shards`` would send and reuse, by shard, asset and role.

    Raises:
        LgtError: a model's files, a source or a table cannot be read.
    """
    rates, pictures = recorded_rates(store), pictures_by_shard(store)
    asked: list[Asked] = []
    for shard in shards:
        with open_stored(models, store, shard) as stored:
            ahead = _ShardAhead(models, store, stored, shard, rates, pictures.get(shard, 0))
            for asset in _in_order(models.profile):
                if STAGES[asset].roles_in(models.profile) and asset in assets:
                    asked += ahead.plan(asset)
                else:
                    ahead.read(asset)
    return asked


def keys_planned(models: Models, store: DeltaStore, shard: str) -> tuple[set[str], set[str]]:
    """Keys that the shard's assets would ask for now, and assets whose requests cannot all be foreseen."""
    with open_stored(models, store, shard) as stored:
        ahead = _ShardAhead(models, store, stored, shard, recorded_rates(store), 0)
        unforeseen = set()
        for asset in _in_order(models.profile):
            if not STAGES[asset].roles_in(models.profile):
                ahead.read(asset)
            elif any(one.basis != PLANNED or one.to_send for one in ahead.plan(asset)):
                unforeseen.add(asset)
    return ahead.keys, unforeseen


@contextmanager
def open_stored(models: Models, store: DeltaStore, shard: str) -> Iterator[Stored]:
    """The shard's completions, read only; from ``generations`` where the store's files were lost."""
    if models.stores_responses(shard):
        with models.open_responses(shard, store, read_only=True) as responses:
            yield responses
        return
    names = [field.name for field in fields(Completion)]
    rows = store.scan("generations", shards=[shard]).select(names).collect().iter_rows(named=True)
    yield {row["request_key"]: Completion(**row) for row in rows}


def _in_order(profile: Profile) -> list[str]:
    """Assets that ask, and those that they read, upstream first."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        for above in STAGES[name].upstream:
            visit(above)
        order.setdefault(name)

    for name, stage in STAGES.items():
        if stage.roles_in(profile):
            visit(name)
    return list(order)


@dataclass
class _ShardAhead:
    """One shard, asset by asset: the rows that each would have, and whether those are sure."""

    models: Models
    store: DeltaStore
    stored: Stored
    shard: str
    rates: Rates
    pictures: int
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def _roles(self, asset: str) -> tuple[str, ...]:
        return STAGES[asset].roles_in(self.models.profile)

    def read(self, asset: str) -> None:
        """Take an asset's rows as they are stored; a source's that was never made is read from its files."""
        if self.shard in self.store.shards(asset):
            self.tables[asset] = self.store.read(asset, shards=[self.shard])
            self.sure.add(asset)
        elif not self._roles(asset) and self._upstream(asset) is not None:
            self._make(asset)

    def plan(self, asset: str) -> list[Asked]:
        """What an asset would ask; its rows, where every answer is stored."""
        upstream = self._upstream(asset)
        if upstream is None:
            self.read(asset)
            self.sure.discard(asset)
            return [self._guess(asset)]
        shard = self._make(asset)
        if asset not in self.sure:
            self.read(asset)
            self.sure.discard(asset)
        if not self.sure.issuperset(STAGES[asset].upstream):
            shard.asked = [replace(one, basis=ESTIMATED) for one in shard.asked]
        if shard.asked and shard.asked[-1].to_send:
            shard.asked += self._later(asset, shard.asked[-1], [one.role for one in shard.asked])
        return shard.asked

    def _upstream(self, asset: str) -> dict[str, pl.DataFrame] | None:
        names = STAGES[asset].upstream
        return {name: self.tables[name] for name in names} if all(name in self.tables for name in names) else None

    def _make(self, asset: str) -> DryShard:
        """Run the asset's function as far as it goes."""
        upstream = self._upstream(asset)
        assert upstream is not None
        shard = DryShard(self.shard, asset, upstream, self.models, self.store, stored=self.stored, planned=self.keys)
        try:
            outcome = STAGES[asset].make(shard)
        except _Unanswered:
            return shard
        self.tables[asset] = frame(asset, list(outcome.rows))
        if self.sure.issuperset(STAGES[asset].upstream):
            self.sure.add(asset)
        return shard

    def _later(self, asset: str, last: Asked, known: list[str]) -> Iterator[Asked]:
        """The roles that are asked about answers which are missing, by the ratios of requests recorded."""
        before = self.rates.requests.get((asset, last.role), 0)
        for role in self._roles(asset):
            own = self.rates.requests.get((asset, role), 0)
            if role in known:
                continue
            if before and own:
                yield Asked(asset, self.shard, role, ESTIMATED, round(own / before * last.to_send))
            else:
                yield Asked(asset, self.shard, role, UNKNOWN, None)

    def _guess(self, asset: str) -> Asked:
        """Where even what is read is not there yet: requests per picture, as recorded."""
        role = self._roles(asset)[0]
        if asset in self.rates.per_picture:
            return Asked(asset, self.shard, role, ESTIMATED, round(self.rates.per_picture[asset] * self.pictures))
        return Asked(asset, self.shard, role, UNKNOWN, None)
