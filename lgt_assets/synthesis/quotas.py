"""Type quotas: no type of question takes more than its share of a picture."""

import math
from collections import Counter
from collections.abc import Sequence

from lgt_assets.synthesis.plain_text import plain

OVER_QUOTA = "over_quota"


def over_quota(types: Sequence[str], share: float) -> set[int]:
    """Positions in ``types`` to leave out, so that each type holds at most ``ceil(share * kept)`` of those kept.

    The last of the commonest type goes first, again and again, so early questions stay. Types are compared in plain form:
    the writer's own "counting" and "Counting" are one. ``share`` 1 leaves out nothing.
    """
    names = [plain(name) for name in types]
    kept = list(range(len(names)))
    while kept:
        counts = Counter(names[position] for position in kept)
        commonest = max(counts, key=lambda name: (counts[name], name))
        if counts[commonest] <= math.ceil(round(share * len(kept), 9)):
            break
        kept.remove(max(position for position in kept if names[position] == commonest))
    return set(range(len(names))) - set(kept)
