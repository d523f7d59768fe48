"""Telling a trace that is not English: by its letters' script, and for Latin letters by function words.

Reasoning models slip into another script in the middle of a sentence, which no detector of whole texts sees and a look at
the letters does. For languages in Latin letters function words suffice on texts of some length (Grefenstette 1995, "Comparing
two language identification schemes"); a detector with large models would add languages that no writer slips into.
"""

import unicodedata
from functools import lru_cache

from lgt_assets.synthesis.plain_text import compatible
from lgt_assets.synthesis.sentences import sentences_of

WRONG_LANGUAGE = "wrong_language"
# Frequent words that English does not use, and words that only English uses.
ENGLISH = frozenset(
    "the of and to is that it was for are with be at this have from or had by but not what all were we when your can there an "
    "which their if will do how about then them would like so these has more two see could been who its now did my than "
    "wait let me looking image picture answer correct option".split()
)
FOREIGN: dict[str, frozenset[str]] = {
    "German": frozenset(
        "der das und ist nicht ein eine einen dem den sich auf für mit "
        "auch es im von zu als wird sind ich oder aber wir".split()
    ),
    "French": frozenset(
        "le la les des est une et du que qui dans pour pas sur "
        "avec ce il elle sont au aux cette donc mais ou je nous".split()
    ),
    "Spanish": frozenset(
        "el la los las es una y que en por con para del se "
        "su al lo como más pero está son este esta hay entonces".split()
    ),
    "Portuguese": frozenset(
        "o os as é uma que em por com para do da não se "
        "na ao como mais mas está são este esta há então um".split()
    ),
    "Italian": frozenset(
        "il la lo gli è una che di per con non del della "
        "si nel sono più ma questa questo quindi ha un anche".split()
    ),
    "Dutch": frozenset(
        "de het een en van niet dat op te met zijn voor er "
        "aan ook als maar om dan hij naar deze dus wij".split()
    ),
}  # fmt: skip
_ANY_FOREIGN = frozenset().union(*FOREIGN.values())
_LEAST_WORDS = 6
_FOREIGN_SHARE, _SLIP_SHARE = 0.25, 0.2


@lru_cache(maxsize=65536)
def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def foreign_letters(text: str, shown: str = "") -> tuple[int, int]:
    """(letters of another script than Latin, all letters) of ``text``; what ``shown`` has, and a lone Greek letter, may stand.

    Args:
        text: any text.
        shown: what may be quoted: question, choices, caption, the thought that is continued.
    """
    if text.isascii():
        return 0, sum(map(str.isalpha, text))
    plain, known = compatible(text), set(compatible(shown))
    foreign = [
        index
        for index, letter in enumerate(plain)
        if letter.isalpha() and not _is_latin(letter) and letter not in known
    ]
    lone = [index for index in foreign if _is_lone_greek(plain, index)]
    return len(foreign) - len(lone), sum(map(str.isalpha, plain))


def _is_lone_greek(text: str, index: int) -> bool:
    around = text[max(0, index - 1) : index] + text[index + 1 : index + 2]
    return unicodedata.name(text[index], "").startswith("GREEK") and not any(map(str.isalpha, around))


def language_of(text: str) -> str:
    """``English`` unless the function words of another language outnumber its own and make up a quarter of the words."""
    words = [word.strip(".,:;!?\"'()*[]«»¿¡") for word in compatible(text).lower().split()]
    words = [word for word in words if word]
    # most sentences are done with here: no language has more words than all of them together
    if len(words) < _LEAST_WORDS or sum(word in _ANY_FOREIGN for word in words) < _FOREIGN_SHARE * len(words):
        return "English"
    own = sum(word in ENGLISH for word in words)
    counts = {language: sum(word in those for word in words) for language, those in FOREIGN.items()}
    language, count = max(counts.items(), key=lambda item: item[1])
    return language if count > own and count >= _FOREIGN_SHARE * len(words) else "English"


def wrong_language(text: str, shown: str = "", maximum_other_script: float = 0.0) -> str | None:
    """Why ``text`` is not English; None where it is.

    Either its letters of other scripts exceed ``maximum_other_script`` (a share), or sentences of another language in Latin
    letters make up a fifth of it.
    """
    foreign, letters = foreign_letters(text, shown)
    if foreign > maximum_other_script * letters:
        return f"{foreign} of {letters} letters are of another script"
    slips = {sentence: language_of(sentence) for sentence in sentences_of(text)}
    other = [sentence for sentence, language in slips.items() if language != "English"]
    if sum(map(len, other)) > _SLIP_SHARE * len(text):
        return f"{slips[other[0]]}: {other[0][:80]!r}"
    return None
