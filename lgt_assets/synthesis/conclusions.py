"""The answer that a thought comes to, read from its own words."""

import re

from lgt_assets.synthesis.answers import judge_answer
from lgt_assets.synthesis.sentences import sentences_of

INCONSISTENT_ANSWER = "inconsistent_answer"
_STATED = re.compile(
    r"\b(?:(?:final|correct|right|best|my) )?(?:answer|choice|option)"
    r"(?: (?:is|would be|should be|must be|remains)|:)[ \t*]{0,6}(?=[^\n])",
    re.IGNORECASE,
)
_MOST_SAID = 300
_REFUTES = re.compile(
    r"\b(?:no|not|nor|neither|without|lacks?|lacking|absent|absence|contradicts?|opposite|unlike|wrong|incorrect|rather|other|"
    r"whereas|although|instead)\b|n't\b",
    re.IGNORECASE,
)


def stated_index(thought: str, choices: list[str]) -> int | None:
    """The choice that ``thought`` last states as its answer ("Answer: …", "the answer is …"); None where it states none."""
    for match in reversed(list(_STATED.finditer(thought))):
        said = thought[match.end() : match.end() + _MOST_SAID].partition("\n")[0]
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

    Args:
        simple: the thought that was continued; "" for a thought that stands alone.
        added: what was added, or the whole thought.
        choices: the choices as shown.
    """
    stated = stated_index(added, choices)
    if stated is not None:
        return stated
    sentences = sentences_of(added)
    concludes = bool(sentences) and _REFUTES.search(sentences[-1]) is None
    last = judge_answer(sentences[-1], choices) if concludes else None
    return last if isinstance(last, int) else stated_index(simple, choices)
