"""Text that goes round in circles: loops, sentences said again and again, one stretch of words making up most of it.

After the repetition rules of Rae et al. (2021, "Scaling Language Models: Methods, Analysis & Insights from Training Gopher",
arXiv 2112.11446, table A1), which judge documents; here on traces of a few sentences.
"""

from collections import Counter
from collections.abc import Sequence
from operator import eq

from lgt_assets.synthesis.plain_text import plain
from lgt_assets.synthesis.sentences import sentences_of

REPEATS = "repeats"
MOST_SAME_SENTENCES = 2
WINDOW = 8
# A unit of up to so many words (characters of one word) that comes at least so many times on end is a loop.
LOOP_WORDS, LOOP_CHARACTERS, LOOP_TIMES = 12, 12, 4
_LEAST_LOOP_WORDS, _LEAST_LOOP_CHARACTERS = 8, 40
_LONG_WORD = 40


def repetition(simple: str, added: str) -> str | None:
    """What ``added`` repeats, None for nothing; time grows as its length.

    A sentence three times or more, a unit of words four times on end ("no wait, no wait, …"), eight words in a row of which fewer
    than half are new, a word that is itself a loop, or nothing but the simple thought.
    """
    if plain(added) and plain(added) in plain(simple):
        return "the simple thought"
    sentences = Counter(plain(sentence) for sentence in sentences_of(added))
    for sentence, count in sentences.most_common(1):
        if count > MOST_SAME_SENTENCES and len(sentence.split()) > 1:
            return sentence
    return looped(added)


def looped(text: str) -> str | None:
    """What ``text`` repeats without regard to sentences; None for nothing."""
    words = text.lower().split()
    unit = _loop(words, LOOP_WORDS, _LEAST_LOOP_WORDS)
    if unit is not None:
        return " ".join(unit)
    for word in words:
        if len(word) >= _LONG_WORD and any(map(str.isalnum, word)):
            unit = _loop(word, LOOP_CHARACTERS, _LEAST_LOOP_CHARACTERS)
            if unit is not None:
                return "".join(unit)
    windows = [" ".join(words[i : i + WINDOW]) for i in range(len(words) - WINDOW + 1)]
    if len(windows) >= 3 * WINDOW and len(set(windows)) * 2 < len(windows):
        return Counter(windows).most_common(1)[0][0]
    return None


def _loop(items: Sequence[str], longest: int, least: int) -> Sequence[str] | None:
    """The unit of at most ``longest`` items that comes four times on end over at least ``least`` items."""
    for period in range(1, longest + 1):
        recurs = bytes(map(eq, items[period:], items))  # whether an item is the one a period before it
        start = recurs.find(b"\1" * max((LOOP_TIMES - 1) * period, least - period))
        if start >= 0:
            end = start + max(LOOP_TIMES * period, least)
            return items[end - period : end]
    return None
