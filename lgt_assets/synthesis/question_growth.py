"""How the number of different questions grows with the number asked, and how alike the questions of one picture are.

Questions come in groups, one for each picture, in the order in which they were asked. A request that gave no usable question is
None: it was asked all the same. Measures of a corpus whatever its order are in :mod:`.diversity`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from lgt_assets.synthesis.plain_text import plain

_WORD = re.compile(r"\w+(?:['-]\w+)*")
Groups = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class GrowthPoint:
    """How many questions there are once every picture was asked ``per_image`` times.

    Attributes:
        per_image: requests per picture.
        asked: requests over all pictures.
        written: questions that these gave.
        distinct: different questions, each picture's own counted apart.
        wordings: different questions over all pictures.
    """

    per_image: int
    asked: int
    written: int
    distinct: int
    wordings: int


def jaccard(first: str, second: str) -> float:
    """Words in both over words in either, caseless; 1 for two texts without words."""
    one, other = (set(_WORD.findall(plain(text))) for text in (first, second))
    return len(one & other) / len(one | other) if one | other else 1.0


def similarity_within_image(groups: Groups) -> float | None:
    """Mean :func:`jaccard` of two questions of one picture, over all such pairs; None without a pair."""
    pairs = [
        jaccard(first, second)
        for group in groups
        for first, second in combinations([text for text in group if text is not None], 2)
    ]
    return sum(pairs) / len(pairs) if pairs else None


def growth(groups: Groups) -> list[GrowthPoint]:
    """The curve from one request per picture up to the most that any picture was asked."""
    points, own, wordings, asked, written = [], set(), set(), 0, 0
    for per_image in range(1, max(map(len, groups), default=0) + 1):
        for number, group in enumerate(groups):
            if len(group) < per_image:
                continue
            asked += 1
            text = group[per_image - 1]
            if text is not None:
                written += 1
                own.add((number, plain(text)))
                wordings.add(plain(text))
        points.append(GrowthPoint(per_image, asked, written, len(own), len(wordings)))
    return points
