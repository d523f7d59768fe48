"""Questions that a benchmark asks as well, found by runs of words.

Word n-grams as GPT-3 (arXiv 2005.14165, appendix C) looks for contamination, with n = 8 by default; as in Tulu 3 (arXiv
2411.15124, section 3.2) a text counts as found when runs that it shares cover half of its words. Texts shorter than n words
are compared as wholes.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

from lgt_assets.synthesis.plain_text import compatible

# East Asian scripts have no spaces: there every character is a word.
_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]|[^\W\u2e80-\u9fff\uac00-\ud7af]+")


def words_of(text: str) -> list[str]:
    """The text's words, caseless, without punctuation."""
    return _WORD.findall(compatible(text).casefold())


class QuestionIndex:
    """The benchmarks' questions, ready to be looked up; holds 8 bytes of hash for each of their n-grams, in a dict.

    Args:
        questions: (text, where it stands) of every benchmark question.
        ngram: words in a run.
        share: share of a question's words that found runs must cover.
    """

    def __init__(self, questions: Iterable[tuple[str, str]], *, ngram: int, share: float):
        self._ngram, self._share = ngram, share
        self._where: dict[int, str] = {}
        for text, where in questions:
            words = words_of(text)
            for run in (words, *self._runs(words)):
                if run:
                    self._where.setdefault(_key(run), where)

    def find(self, question: str) -> str | None:
        """Where a benchmark asks ``question``, or None."""
        words = words_of(question)
        if not words:
            return None
        whole = self._where.get(_key(words))
        if whole is not None:
            return whole
        covered: set[int] = set()
        first = None
        for start, run in enumerate(self._runs(words)):
            where = self._where.get(_key(run))
            if where is not None:
                first = first or where
                covered.update(range(start, start + self._ngram))
        return first if len(covered) >= self._share * len(words) else None

    def _runs(self, words: list[str]) -> Iterator[list[str]]:
        return (words[start : start + self._ngram] for start in range(len(words) - self._ngram + 1))


def _key(words: list[str]) -> int:
    return int.from_bytes(hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=8).digest(), "big")
