"""The filters of thoughts, in their order: what a chain of thought must pass to be kept. Any text in, a fault or None out."""

from dataclasses import dataclass

from lgt_assets.settings import DistillSettings, ExpandSettings
from lgt_assets.synthesis.conclusions import INCONSISTENT_ANSWER, concluded_index
from lgt_assets.synthesis.language import WRONG_LANGUAGE, wrong_language
from lgt_assets.synthesis.leaks import LEAKS_SOURCE, leaked_word
from lgt_assets.synthesis.parsed import ParsedTrace
from lgt_assets.synthesis.repetition import REPEATS, looped, repetition

CHANGES_PREFIX = "changes_prefix"
ADDED_TOO_SHORT = "added_too_short"
SIMPLE_FILTERS = (WRONG_LANGUAGE, REPEATS, INCONSISTENT_ANSWER)
EXPANDED_FILTERS = (CHANGES_PREFIX, ADDED_TOO_SHORT, WRONG_LANGUAGE, LEAKS_SOURCE, REPEATS, INCONSISTENT_ANSWER)


@dataclass(frozen=True)
class Fault:
    """The first filter that a thought fails, and what was found."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Continued:
    """What a continuation is judged against: the thought and the cue it must keep, the question as shown, the caption."""

    simple: str
    cue: str
    question: str
    choices: list[str]
    caption: str = ""

    @property
    def start(self) -> str:
        """The text that every continuation begins with."""
        return f"{self.simple} {self.cue}"

    def added(self, thought: str) -> str:
        """What stands after the cue."""
        return thought[len(self.start) :].strip()


def simple_fault(trace: ParsedTrace, question: str, choices: list[str], settings: DistillSettings) -> Fault | None:
    """The first of ``SIMPLE_FILTERS`` that a simple chain of thought fails; None for a good one."""
    if settings.language == "english":
        found = wrong_language(trace.thought, " ".join([question, *choices]), settings.maximum_other_script)
        if found is not None:
            return Fault(WRONG_LANGUAGE, found)
    repeated = looped(trace.thought)
    if repeated is not None:
        return Fault(REPEATS, f"repeats {repeated[:200]!r}")
    return _contradiction(trace, "", trace.thought, choices)


def expanded_fault(trace: ParsedTrace, kept: Continued, settings: ExpandSettings) -> Fault | None:
    """The first of ``EXPANDED_FILTERS`` that a continued chain of thought fails; None for a good one.

    All but ``changes_prefix`` and the answer judge what was added: the simple thought has passed its own filters.
    """
    if not trace.thought.startswith(kept.start):
        return Fault(CHANGES_PREFIX, "the thought does not begin with the simple thought and the cue")
    added = kept.added(trace.thought)
    if len(added) < max(1, settings.minimum_added_characters):
        return Fault(ADDED_TOO_SHORT, f"{len(added)} characters after the cue")
    if settings.language == "english":
        shown = " ".join([kept.question, *kept.choices, kept.simple, kept.caption])
        found = wrong_language(added, shown, settings.maximum_other_script)
        if found is not None:
            return Fault(WRONG_LANGUAGE, found)
    word = leaked_word(added, kept.question, kept.choices, kept.caption)
    if word is not None:
        return Fault(LEAKS_SOURCE, f"says {word[:200]!r}")
    repeated = repetition(kept.simple, added)
    if repeated is not None:
        return Fault(REPEATS, f"repeats {repeated[:200]!r}")
    return _contradiction(trace, kept.simple, added, kept.choices)


def _contradiction(trace: ParsedTrace, simple: str, added: str, choices: list[str]) -> Fault | None:
    concluded = concluded_index(simple, added, choices)
    if concluded is None or concluded == trace.answer_index:
        return None
    return Fault(INCONSISTENT_ANSWER, f"concludes {choices[concluded]!r}, answers {choices[trace.answer_index]!r}")
