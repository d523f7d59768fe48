"""Filters of expanded traces: what the reasoner added must be fit for a trainee that sees the picture and no caption."""

import re
from collections import Counter

from lgt_assets.synthesis.answers import judge_answer
from lgt_assets.synthesis.plain_text import compatible, plain

LEAKS_SOURCE = "leaks_source"
ADDED_TOO_SHORT = "added_too_short"
REPEATS = "repeats"
INCONSISTENT_ANSWER = "inconsistent_answer"
# Words that give away a text behind the reasoning, after LongPerceptualThoughts' list; here on whole words, in any case.
SOURCE_WORDS = (
    "caption", "captions", "captioned", "description", "descriptions", "described", "describes", "describe",
    "mention", "mentions", "mentioned", "mentioning", "text", "texts", "textual", "user", "users", "user's", "prompt",
    "annotation", "annotations", "bounding box", "bounding boxes", "object list", "list of objects", "the details provided",
    "provided details", "provided information", "information provided", "given information", "without seeing",
    "cannot see the image", "can't see the image", "don't have the image", "visualize", "visualise",
)  # fmt: skip
_SOURCE = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, SOURCE_WORDS), key=len, reverse=True))})(?![\w-])")
_HARMLESS = re.compile(r"\bbest describes?\b|\bdescribes? (?:it|this|that|the \w{1,20}) best\b")
_STATED = re.compile(
    r"\b(?:(?:final|correct|right|best|my) )?(?:answer|choice|option)"
    r"(?: (?:is|would be|should be|must be|remains)|:)[ \t*]{0,6}(?P<said>[^\n]{1,300})",
    re.IGNORECASE,
)
_REFUTES = re.compile(
    r"\b(?:not|contradicts?|opposite|unlike|wrong|incorrect|rather|other|whereas|although|instead)\b|n't\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_MOST_SAME_SENTENCES = 2
_WINDOW = 8


def leaked_word(added: str, question: str, choices: list[str]) -> str | None:
    """The first word in ``added`` that speaks of the caption, a text or a user; None without one.

    Words that the question or its choices use themselves ("What text is on the sign?") are no leak.
    """
    asked = set(_SOURCE.findall(" ".join([question, *choices]).lower()))
    lowered = _HARMLESS.sub(" ", compatible(added).lower())
    return next((word for word in _SOURCE.findall(lowered) if word not in asked), None)


def repetition(simple: str, added: str) -> str | None:
    """What ``added`` repeats: a sentence three times or more, a stretch of words in a loop, or nothing but the simple thought."""
    if plain(added) and plain(added) in plain(simple):
        return "the simple thought"
    sentences = Counter(plain(sentence) for sentence in sentences_of(added))
    for sentence, count in sentences.most_common(1):
        if count > _MOST_SAME_SENTENCES and len(sentence.split()) > 1:
            return sentence
    words = added.lower().split()
    windows = [" ".join(words[i : i + _WINDOW]) for i in range(len(words) - _WINDOW + 1)]
    if len(windows) >= 3 * _WINDOW and len(set(windows)) * 2 < len(windows):
        return Counter(windows).most_common(1)[0][0]
    return None


def sentences_of(text: str) -> list[str]:
    """Sentences of ``text``, without blanks; a full stop within a word or number ends none."""
    return [sentence for sentence in (part.strip() for part in _SENTENCE_END.split(text)) if sentence]


def stated_index(thought: str, choices: list[str]) -> int | None:
    """The choice that ``thought`` last states as its answer ("Answer: …", "the answer is …"); None where it states none."""
    for match in reversed(list(_STATED.finditer(thought))):
        said = match["said"]
        first = sentences_of(said)[0] if said.strip() else ""
        for candidate in (said, first):
            verdict = judge_answer(candidate, choices)
            if isinstance(verdict, int):
                return verdict
    return None


def concluded_index(simple: str, added: str, choices: list[str]) -> int | None:
    """The choice that a trace last settles on before its answer; None where it names none.

    What the added thought states as its answer comes first, then the one choice that its last sentence names (unless that
    refutes something), then what the simple thought stated.
    """
    stated = stated_index(added, choices)
    if stated is not None:
        return stated
    sentences = sentences_of(added)
    concludes = bool(sentences) and _REFUTES.search(sentences[-1]) is None
    last = judge_answer(sentences[-1], choices) if concludes else None
    return last if isinstance(last, int) else stated_index(simple, choices)
