"""What a measure is given, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.schemas import polars_schema
from lgt_assets.settings import CheckSettings, Profile
from lgt_assets.storage import DeltaStore

Number = int | float | str | None


@dataclass(frozen=True)
class Finding:
    """The outcome of one measure of one shard.

    Attributes:
        passed: whether it is as it should be; a shard that is too small to be judged passes.
        said: what was found, for people; where ``passed`` is false, what to do.
        numbers: what was measured, with the thresholds it was held against.
    """

    passed: bool
    said: str
    numbers: dict[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class Slice:
    """One shard of one table as stored.

    Attributes:
        profile: thresholds, and what was wanted; the rules of :mod:`.rules` need none.
        previous: numbers of the same measure when the shard was made the time before; empty for the first time.
    """

    store: DeltaStore
    table: str
    shard: str
    profile: Profile | None = None
    previous: Mapping[str, object] = field(default_factory=dict)

    @property
    def wanted(self) -> Profile:
        """The profile that rates are held against.

        Raises:
            ValueError: none was given.
        """
        if self.profile is None:
            raise ValueError(f"{self.table}, shard {self.shard}: a rate is judged by a profile")
        return self.profile

    @property
    def settings(self) -> CheckSettings:
        """Thresholds."""
        return self.wanted.checks

    def scan(self, *columns: str, table: str = "") -> pl.LazyFrame:
        """Rows of the slice, or of the same shard of another table; with ``columns``, only those are read."""
        name = table or self.table
        return self.store.scan(name, shards=[self.shard]).select(columns or list(polars_schema(name)))


def too_few(count: int, least: int, what: str, numbers: Mapping[str, Number]) -> Finding:
    """A finding for a shard that is too small: it passes, and says so."""
    said = f"too few {what} to judge: {count}, and at least {least} are needed (checks.minimum_rows)"
    return Finding(True, said, {"judged": "too few to judge"} | dict(numbers) | {"least": least})
