"""One shard of one asset in the making: what it may read, whom it may ask."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.errors import UpstreamError
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.resources import Models, Usage
from lgt_assets.settings import Profile
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
    generated: list[dict] | None = None

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
        """Completions of ``planned``, in its order, by the model that plays ``role``; stored ones are not sent again."""
        with self.models.open_responses(self.key, self.store) as responses:
            answered = self.models.answer(
                list(planned), role=role, asset=self.asset, shard=self.key, responses=responses, usage=self.usage
            )
            self.generated = responses.rows(self.asset)
        return iter(answered)
