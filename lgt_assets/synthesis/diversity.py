"""Diversity of questions without embeddings, against the size of the corpus.

A writer that sees nothing but the caption soon asks the same again: the share of distinct questions and n-grams falls as the
corpus grows. Focus objects move it on. Both can be held against each other at equal sizes here.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

from lgt_assets.identity import digest
from lgt_assets.synthesis.plain_text import plain

ORDERS = (1, 2, 3)


def diversity(questions: Sequence[tuple[str, str]]) -> dict[str, float | int | None]:
    """Measures of one corpus of (image_id, question).

    Returns:
        ``questions``: how many; ``distinct_questions``: share of them that ask something new about their picture, in plain
        form; ``distinct_1`` to ``distinct_3``: different n-grams per n-gram within questions (Li et al., arXiv 1510.03055);
        ``compressed``: bytes of all questions after zlib per byte before (Shaib et al., arXiv 2403.00553, turned over).
        All shares are 0 to 1, higher is more diverse, None where there is nothing to count.
    """
    texts = [plain(question) for _, question in questions]
    different = {(image_id, text) for (image_id, _), text in zip(questions, texts, strict=True)}
    joined = "\n".join(texts).encode("utf-8", "replace")
    return {
        "questions": len(texts),
        "distinct_questions": len(different) / len(texts) if texts else None,
        **{f"distinct_{n}": distinct_n(texts, n) for n in ORDERS},
        "compressed": len(zlib.compress(joined, 9)) / len(joined) if joined else None,
    }


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Different n-grams of words per n-gram, over all texts; n-grams do not cross from one text to the next."""
    seen, count = set(), 0
    for text in texts:
        words = text.split()
        for start in range(len(words) - n + 1):
            seen.add(tuple(words[start : start + n]))
            count += 1
    return len(seen) / count if count else None


def diversity_by_size(
    questions: Sequence[tuple[str, str, str]], sizes: Sequence[int]
) -> Iterator[dict[str, float | int | None]]:
    """:func:`diversity` of growing parts of a corpus of (question_id, image_id, question), one row for each size.

    The part of a size holds the questions whose ids hash lowest: it does not depend on the order of rows, smaller parts lie
    within larger ones, and sizes beyond the corpus are left out.
    """
    ranked = sorted(questions, key=lambda row: digest("diversity", row[0]))
    for size in sorted(sizes):
        if size <= len(ranked):
            yield diversity([(image_id, question) for _, image_id, question in ranked[:size]])
