"""The parsers of everything that models write: any string in, a value or a typed reason out, never an exception.

Held against outputs of GPT-4o, Qwen2.5-VL-7B and DeepSeek-R1-Distill-Qwen-32B recorded for LongPerceptualThoughts
(arXiv 2504.15362). Letters of an answer are told from articles, option texts from words inside them; see :mod:`.answers`.
"""

from lgt_assets.synthesis.answers import answer_index, judge_answer
from lgt_assets.synthesis.parsed import ParsedQuestion, ParsedTrace, Rejected
from lgt_assets.synthesis.traces import parse_trace
from lgt_assets.synthesis.written_questions import parse_questions

__all__ = [
    "ParsedQuestion",
    "ParsedTrace",
    "Rejected",
    "answer_index",
    "judge_answer",
    "parse_questions",
    "parse_trace",
]
