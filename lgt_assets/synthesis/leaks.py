"""Words that give away the caption behind a trace: the reasoner read a text about the picture, the trainee sees the picture.

LongPerceptualThoughts drops every trace that contains one of its bad words, anywhere in a word ("text" in "texture"), and
loses half its data. Here a leak is a whole word or a phrase that speaks of the source, found by reading what
DeepSeek-R1-Distill-Qwen-32B wrote for that paper. What the trainee sees as well may be spoken of: the question, its options,
and text that stands in the picture.
"""

import re

from lgt_assets.synthesis.plain_text import compatible, plain

LEAKS_SOURCE = "leaks_source"
# The source itself. Any of these is a leak, unless the question or its choices use the word.
SOURCE_WORDS = (
    r"captions?", r"captioned", r"descriptions?", r"annotations?", r"annotated", r"bounding box(?:es)?", r"coordinates?",
    r"object list", r"list of objects", r"prompt", r"visuali[sz](?:e|es|ed|ing|ation)", r"mental (?:image|picture)",
    r"textual(?:ly)?", r"written details?", r"detailed (?:image|text)", r"image(?:'s)? details? (?:provided|given|above)",
    r"(?:provided|given|initial|above) (?:information|details?|data|text)",
    r"(?:information|details?|data|text) (?:provided|given)",
)  # fmt: skip
# Verbs of telling: a leak where the picture, "it" or nobody tells; not where the question, an option or "I" does.
TOLD = (
    r"described?", r"describes", r"describing", r"mention(?:s|ed|ing)?", r"stated",
    r"(?:image|picture|photo|scene)(?:'s)? (?:\w{1,14} )?(?:says|states|tells|notes|specifies|indicates that)",
)  # fmt: skip
# The one who gave the task, and what he asked for.
ASKED = (
    r"(?:the|this|your) users?(?:'s?)?(?! (?:of|interface|manual))", r"as an ai", r"language model",
    r"i(?:'m| am) (?:supposed|asked|told) to",
    r"(?:was|been) (?:instructed|told|asked) (?:to|not)", r"(?:the|my) (?:task |given )?instructions(?! (?:on|of|in))",
    r"without (?:directly |explicitly )?(?:mentioning|referencing|referring|seeing)",
    r"(?:avoid|not|don't|shouldn't) (?:directly |explicitly )?reference",
    r"(?:cannot|can't|can not|couldn't) (?:actually |directly )?(?:see|view|access) (?:the|this|any) (?:image|picture|"
    r"photo)s?",
    r"(?:don't|do not) (?:have|see) (?:access to )?(?:the|this|an|any) (?:actual )?(?:image|picture|photo)",
    r"image (?:isn't|is not|wasn't|was not) (?:shown|given|provided|available|visible)",
)  # fmt: skip
# A text that tells about the picture; text in the picture ("the text on the sign", "small text") is none.
TOLD_BY_TEXT = (
    r"(?:the|this) (?:text|passage|paragraph|sentence) (?:\w{1,14}ly )?(?:says|states|mentions|describes|indicates|"
    r"specifies|notes|tells|reads that)",
    r"(?:according to|based on|from|in|per|given) the (?:text|passage|paragraph)(?! (?:on|above|below|at|across|along|"
    r"over|under|beneath|in|of|that|printed|written|painted|i)\b)",
)  # fmt: skip
_LEFT, _RIGHT = r"(?<![\w-])", r"(?![\w-])"


def _words(*patterns: str) -> re.Pattern:
    return re.compile(rf"{_LEFT}(?:{'|'.join(patterns)}){_RIGHT}")


_LEAK = _words(*SOURCE_WORDS, *ASKED)
_TOLD, _TOLD_BY_TEXT = _words(*TOLD), _words(*TOLD_BY_TEXT)
_TELLER_IS_SEEN = re.compile(
    r"(?:\bi|\bi've|\bwe|\b(?:questions?|options?|choices?|answers?|alternatives?|ones?)(?: \([a-z]\)| [a-z])?)"
    r"(?: (?:\w{1,14}ly|do|does|did|is|are|was|were|have|has|had|just|also|not|don't|doesn't|didn't|isn't|aren't|be|"
    r"been|already)){0,3} $"
)
_BEST = re.compile(
    r"\bbest (?:be )?describ\w{1,3}\b|\bdescribes? (?:it|this|that|the \w{1,20}) best\b|\b(?:can|could|"
    r"may|might) (?:best )?be described\b"
)
_WRITING = re.compile(
    r"\b(?:texts?|words?|letters?|lettering|writing|written|printed|sign|label|logo|inscription|headline|titles?|"
    r"reads?|says?|spells?|spelled|"
    r"brand|slogan|poster|page|number plate|license plate)\b"
)
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{20,400})[\"”]")
_QUOTE_WORDS = 5


def leaked_word(added: str, question: str, choices: list[str], caption: str = "") -> str | None:
    """The first leak in ``added``; None without one. Linear in the text's length.

    Args:
        added: what the reasoner wrote after the cue.
        question, choices: what the trainee is asked; a word that they use is no leak, and where they are about writing in the
            picture a text may tell something.
        caption: what the reasoner read; quoting five of its words in a row is a leak, unless the question has them too.
    """
    asked = plain(" ".join([question, *choices]))
    text = compatible(added)
    lowered = _BEST.sub(" ", text.lower())
    patterns = (_LEAK, _TOLD) if _WRITING.search(asked) else (_LEAK, _TOLD, _TOLD_BY_TEXT)
    found = [
        match for pattern in patterns for match in pattern.finditer(lowered) if not _may_say(match, lowered, asked)
    ]
    if found:
        return min(found, key=lambda match: match.start())[0]
    return _quotation(text, caption, asked)


def _may_say(match: re.Match, lowered: str, asked: str) -> bool:
    """Whether the trainee could say it too: the question uses the word, or the question, an option or the speaker tells."""
    if re.search(rf"{_LEFT}{re.escape(match[0])}{_RIGHT}", asked):
        return True
    return match.re is _TOLD and _TELLER_IS_SEEN.search(lowered, max(0, match.start() - 60), match.start()) is not None


def _quotation(text: str, caption: str, asked: str) -> str | None:
    source = f" {plain(caption)} "
    for match in _QUOTED.finditer(text):
        quoted = plain(match[1])
        if len(quoted.split()) >= _QUOTE_WORDS and f" {quoted} " in source and quoted not in asked:
            return match[0]
    return None
