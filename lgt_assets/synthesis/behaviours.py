"""Counting reasoning behaviours in a thought by documented cues.

The behaviours are three of those that Gandhi et al. (2025, "Cognitive Behaviors that Enable Self-Improving Reasoners",
arXiv 2503.01307) tell apart, and that LongPerceptualThoughts (arXiv 2504.15362) looks for in its traces:

* *subgoal setting*: it says what it will work out before it does so ("First, I'll count the chairs", "Count the stars:");
* *backtracking*: it takes back what it said ("I misread the sign", "wait, no"); a bare "Wait," or "Hmm," takes nothing back,
  and traces that were continued after such a cue would all have it by construction;
* *verification*: it looks again at what it said, or says that it holds ("let me check", "I was right").

A behaviour counts once a sentence, however many of its cues stand there. Ordinals of things ("the second chair", "next to
the door", "if … then", "wait a second") are no subgoals. Cues are patterns of lower-case text, on whole words.
"""

import re

from lgt_assets.synthesis.plain_text import compatible


def _after(marks: str) -> str:
    """The start of a line, or behind one of ``marks`` and up to three spaces; of no width."""
    return f"(?:^|{'|'.join(f'(?<=[{marks}]{spaces})' for spaces in ('', ' ', '  ', '   '))})"


_AFTER_SENTENCE, _AFTER_COLON, _AFTER_MARK = _after(r".!?\n"), _after(r".!?:*\n"), _after(r".!?:;\n*")
_START = rf"(?:{_AFTER_MARK}|(?:so|okay|ok|alright|well|now),? )"
_I, _LET = r"(?:i|we)(?:'ll| will| should| must| can| need to| have to| want to|'d better)", r"let(?: me|'s| us)"
_WORK = (
    r"(?:look|find|count|compare|identify|locate|determine|figure out|work out|analy[sz]e|examine|observe|consider|"
    r"check|see|go (?:through|over)|list|note|understand|focus|start|begin|break)"
)
_ORDER = r"(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|after that|finally|lastly)"
_MISTAKE = (
    r"(?:made (?:a|an|some|this|that)(?: \w{1,12})? (?:mistake|error)|was (?:wrong|mistaken)|am wrong|mis(?:read|judged|"
    r"counted|remembered|interpreted|identified|understood|took|saw)|overcounted|undercounted|overlooked|"
    r"mixed (?:that|this|it|them|up)|"
    r"(?:got|was|confused) (?:that|this|it|them|myself)? ?(?:wrong|confused|mixed up))"
)
CUES: dict[str, tuple[str, ...]] = {
    "subgoal_setting": (
        rf"{_START}{_ORDER},? (?:of all,? )?(?:{_I}|{_LET}|{_WORK}\b)",
        rf"{_START}to (?:answer|solve|determine|find(?: out)?|figure out|identify|work out|count|decide|"
        rf"compare)\b[^.!?\n]{{1,160}}?,"
        rf" (?:{_I}|{_LET}|i|we)\b",
        rf"\b(?:i|we)(?: need to|'ll| will| should| must| have to) (?:first |start by |"
        rf"begin by )?{_WORK}\b(?! (?:\S{{1,12}} ){{0,5}}again)",
        rf"\b{_LET} (?:first |start |begin |go (?:through|over) |break |analy[sz]e |count |list |work |take )[^.!?\n]{{0,80}}"
        r"(?:step|one|each|every|by|with|down|through|from|piece|objects?|options?)\b(?! (?:\S{1,12} ){0,3}again)",
        r"\b(?:step by step|one by one|one at a time)\b",
        rf"{_AFTER_COLON}(?:\d{{1,2}}[.)] \**)?{_WORK}(?: for| at| through)? (?:the|each|every|all|both|any)\b"
        r"[^.:!?\n]{1,60}:",
    ),
    "backtracking": (
        rf"\b(?:i|we|i've|i'd|i must|i may|i might|i could|i)(?: have| had| probably| initially| just| also)? ?{_MISTAKE}",
        r"\b(?:wait|hold on|oh|hmm),? (?:but )?(?:no\b|actually,)|\bno,? (?:wait|actually|hold on)\b|\bactually,? no\b",
        rf"{_START}actually, ",
        r"\b(?:that|this|it|which|my (?:first|initial|earlier|previous) (?:answer|thought|count|guess|impression|reading))"
        r"(?: is|'s| was|'s| must be| seems| can't be)(?: actually| probably| clearly)? (?:wrong|incorrect|mistaken|"
        r"not right|a mistake|"
        r"an error|not correct)\b",
        r"\b(?:on second thought|scratch that|strike that|i take (?:that|it) back|i stand corrected|let me correct|"
        r"not quite,)",
        rf"\b(?:{_LET}|{_I}) (?:reconsider|rethink|re-?evaluate|reassess|revise|start over|go back|try (?:again|"
        rf"another|a different)|"
        r"think again|correct)\b|\bi'm reconsidering\b",
        r"\b(?:another|a different|an alternative) approach\b",
    ),
    "verification": (
        rf"\b(?:{_LET}|{_I}|i|we) (?:just |also |quickly |carefully )?(?:check|double[- ]check|re-?check|verify|"
        rf"confirm|make sure|be sure|"
        r"ensure|re-?examine|re-?count|count again|look (?:\S{1,12} ){0,5}again|look (?:more )?(?:closely|closer)|"
        r"go (?:\S{1,12} ){1,4}again)\b",
        r"\b(?:double-check|double-checking|re-?checking|re-?counting|look(?:ing)? (?:\S{1,12} ){0,5}again|looking back|"
        r"(?:on|upon) (?:closer|further|re-?) ?(?:inspection|examination|examining|look))\b",
        r"\b(?:once more|so again)\b",
        rf"\bto (?:be sure|make sure|be certain)\b|{_AFTER_SENTENCE}to (?:confirm|verify|double-check)\b",
        rf"(?:{_START}|(?<=, )|yes,? )(?:that|this|it) (?:agrees|matches|checks out|is consistent|still holds)\b|"
        rf"\b(?:that|this|which) confirms\b",
        r"\b(?:i was|i am|i'm) right\b|\bmy (?:first|initial|earlier) (?:answer|thought|count|guess) (?:holds|stands|"
        r"is right|was right)\b",
    ),
}  # fmt: skip
# Every cue begins with a word: elsewhere a place is passed over by one look, instead of one for each cue.
_PATTERNS = {behaviour: re.compile(rf"\b(?=\w)(?:{'|'.join(cues)})", re.MULTILINE) for behaviour, cues in CUES.items()}
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def count_behaviours(thought: str) -> dict[str, int]:
    """How many sentences of ``thought`` show each behaviour, as the ``behaviours`` column holds it; any text."""
    sentences = [sentence for sentence in _SENTENCE.split(compatible(thought).lower()) if sentence.strip()]
    return {
        behaviour: sum(pattern.search(sentence) is not None for sentence in sentences)
        for behaviour, pattern in _PATTERNS.items()
    }
