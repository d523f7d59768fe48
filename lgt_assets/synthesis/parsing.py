"""The parsers of everything that models write: any string in, a value or a typed reason out, never an exception.

Held against outputs of GPT-4o, Qwen2.5-VL-7B and DeepSeek-R1-Distill-Qwen-32B recorded for LongPerceptualThoughts
(arXiv 2504.15362), and against a table of the shapes that models write. Where to look:

- which choice an answer names, and by which rules: :mod:`.answers` (:func:`judge_answer` says why there is none);
- where a completion has its answer, and what counts as cut off: :mod:`.final_answers`;
- what a question may look like: :mod:`.written_questions`; every reason of a rejection: :mod:`.parsed`.
"""

from lgt_assets.synthesis.answers import answer_index, judge_answer
from lgt_assets.synthesis.final_answers import final_answer
from lgt_assets.synthesis.parsed import REASONS, ParsedQuestion, ParsedTrace, Rejected
from lgt_assets.synthesis.traces import parse_trace
from lgt_assets.synthesis.written_questions import parse_questions

__all__ = [
    "REASONS",
    "ParsedQuestion",
    "ParsedTrace",
    "Rejected",
    "answer_index",
    "final_answer",
    "judge_answer",
    "parse_questions",
    "parse_trace",
]
