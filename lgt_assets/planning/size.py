"""How large a run is wished, and how its parts follow from a profile."""

from dataclasses import dataclass, replace

from lgt_assets.errors import SettingsError
from lgt_assets.settings import Profile

PAPER_IMAGES = 15_000
PAPER_QUESTIONS = 1_000_000
SHARD_SIZE = 64
ACCEPTED_COMPOSITIONS = 0.5  # of those that a profile asks for, where nobody says how many are wished


@dataclass(frozen=True)
class Size:
    """A wished run; everything that follows grows in proportion to ``images``.

    Attributes:
        images: pictures.
        questions_per_image: accepted ones, seed and composed together.
        composed_per_image: of those, composed ones.
        samples: chains of thought sampled of each question.
        chains_per_question: of those, how many are expanded.
        expansions: continuations of each.
        shard_size: pictures a shard.
    """

    images: float
    questions_per_image: float
    composed_per_image: float
    samples: float
    chains_per_question: float
    expansions: float
    shard_size: float = SHARD_SIZE

    @property
    def questions(self) -> float:
        """All accepted questions."""
        return self.images * self.questions_per_image

    @property
    def seed_questions(self) -> float:
        """Accepted seed questions; the difference is taken first, or rounding would not grow with the pictures."""
        return self.images * (self.questions_per_image - self.composed_per_image)

    @property
    def composed_questions(self) -> float:
        """Accepted composed questions."""
        return self.images * self.composed_per_image

    @property
    def shards(self) -> float:
        """Shards of the run, the last one partly filled."""
        return self.images / self.shard_size

    def scaled(self, factor: float) -> "Size":
        """The same mixture of ``factor`` as many pictures."""
        return replace(self, images=self.images * factor)


def wished(
    profile: Profile, *, images: float = PAPER_IMAGES, questions: float = PAPER_QUESTIONS,
    composed_per_image: float | None = None, samples: int | None = None, chains: int | None = None,
    expansions: int | None = None, shard_size: int = SHARD_SIZE,
) -> Size:  # fmt: skip
    """The size asked for; what is not said is the profile's.

    Raises:
        SettingsError: there would be more composed questions than questions.
    """
    per_image = questions / images
    composed = profile.compose.per_image * ACCEPTED_COMPOSITIONS if composed_per_image is None else composed_per_image
    if composed > per_image:
        raise SettingsError(
            f"{per_image:g} questions a picture cannot hold {composed:g} composed ones: give --questions or --composed"
        )
    return Size(
        images, per_image, composed, samples or profile.distill.samples, chains or profile.expand.chains_per_question,
        expansions or profile.expand.samples, shard_size,
    )  # fmt: skip
