"""Counting reasoning behaviours in a thought by documented cues, each on whole words, whatever the case.

The three behaviours are those that cognitive-behaviour analyses of reasoning models count: setting subgoals, going back on
what was said, and checking it. A cue counts once per occurrence; where two cues of one behaviour overlap, the longer counts.
"""

import re

CUES: dict[str, tuple[str, ...]] = {
    "subgoal_setting": (
        "first", "firstly", "first of all", "second", "secondly", "third", "next", "then", "finally", "step by step",
        "one by one", "step 1", "step 2", "step 3", "to answer this", "to solve this", "to determine", "to find out",
        "let me start", "let's start", "let me go through", "let's go through", "let me break", "let's break",
        "i need to", "i should look at", "i will look at",
    ),
    "backtracking": (
        "wait", "hmm", "alternatively", "on second thought", "actually", "i was wrong", "that was a mistake",
        "that is wrong", "that's wrong", "that's not right", "that is not right", "my first answer was wrong", "i made a mistake",
        "i misread", "i misjudged", "i overlooked", "let me reconsider", "let me rethink", "scratch that", "not quite",
    ),
    "verification": (
        "let me check", "let me check again", "let me verify", "let me double-check", "let me double check",
        "let's double-check", "let's double check", "let's double-check the details", "let me look again", "once more",
        "let me confirm", "let me make sure", "to be sure", "to confirm", "to verify", "double-checking", "i should check",
        "i should verify", "that agrees", "this agrees", "this confirms", "which confirms", "that matches",
        "look at every object again", "i was right", "my first answer holds",
    ),
}  # fmt: skip
_PATTERNS = {
    behaviour: re.compile(
        rf"(?<!\w)(?:{'|'.join(re.escape(cue) for cue in sorted(cues, key=len, reverse=True))})(?!\w)"
    )
    for behaviour, cues in CUES.items()
}


def count_behaviours(thought: str) -> dict[str, int]:
    """Occurrences of each behaviour's cues in ``thought``, as the ``behaviours`` column holds them."""
    lowered = thought.lower().replace("’", "'")
    return {behaviour: sum(1 for _ in pattern.finditer(lowered)) for behaviour, pattern in _PATTERNS.items()}
