"""One shard of one asset in the making: what it may read, whom it may ask."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import polars as pl

from lgt_assets.engines.generation import Usage
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.errors import UpstreamError
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.resources import Models
from lgt_assets.settings import Profile
from lgt_assets.spool import Spool
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.planned import Answered, Planned


@dataclass
class Shard:
    """Given to an asset's function; ``upstream`` holds the rows of the tables it declared, checked."""

    key: str
    asset: str
    upstream: dict[str, pl.DataFrame]
    models: Models
    store: DeltaStore
    usage: Usage = field(default_factory=Usage)
    failures: Spool = field(default_factory=Spool)
    responses: ResponseStore | None = None

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.models.profile

    @property
    def prompts(self) -> PromptSet:
        """The profile's prompts."""
        return self.models.prompts

    def read(self, table: str) -> pl.DataFrame:
        """Rows of an upstream table in this shard.

        Raises:
            UpstreamError: the asset did not declare the table, so no gate has checked it.
        """
        if table not in self.upstream:
            raise UpstreamError(f"{self.asset} reads {table} without declaring it upstream")
        return self.upstream[table]

    def questions(self) -> pl.DataFrame:
        """Seed and composed questions of this shard as one frame with the columns they share."""
        shared = [
            name for name in self.read("seed_questions").columns if name in self.read("composed_questions").columns
        ]
        return pl.concat([self.read("seed_questions").select(shared), self.read("composed_questions").select(shared)])

    def ask(self, role: str, planned: Iterable[Planned]) -> Iterator[Answered]:
        """Completions of ``planned``, in its order, by the model that plays ``role``; stored ones are not sent again.

        ``planned`` is read, and its requests are answered, in another thread while the caller works on what is given: nothing
        is asked before the first answer is taken. Requests that failed, if the profile allows some, are left out.

        Raises (while iterating):
            EngineError: the model cannot answer, or more requests failed than allowed.
        """
        ahead = iter(planned)
        first = next(ahead, None)
        if first is None:
            return
        if self.responses is None:
            self.responses = self.models.open_responses(self.key, self.store)
        yield from self.models.answer(
            chain([first], ahead), role=role, asset=self.asset, shard=self.key, responses=self.responses,
            usage=self.usage, failures=self.failures,
        )  # fmt: skip

    def model_name(self, role: str) -> str:
        """``name@revision`` of the model that plays ``role``, as rows say who made them; its name, if it has no revision."""
        identity = self.models.identity(role)
        return f"{identity.name}@{identity.revision}" if identity.revision else identity.name

    def close(self) -> None:
        """Seal the response store."""
        if self.responses is not None:
            self.responses.close()
