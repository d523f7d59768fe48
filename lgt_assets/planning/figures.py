"""Numbers that say how they are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Basis = Literal["measured", "given", "assumed"]


@dataclass(frozen=True)
class Figure:
    """A number, how it is known, and from where.

    ``measured``: counted, here or by the benchmark that ``source`` names; ``given``: by options, profile or paper;
    ``assumed``: nobody knows before it is tried.
    """

    value: float
    basis: Basis
    source: str


Figures = Mapping[str, Figure]

# Of what no state folder tells. Names of figures are those that lgt plan prints.
_PAPER = "Long Grounded Thoughts (arXiv 2511.05705), as published: 753 k and 129 k of 1 M questions"
_DEMO = "lgt demo, the embedded model's short texts, zstd"
ASSUMED: dict[str, Figure] = {
    "caption_tokens": Figure(180, "assumed", "a DOCCI caption of some 136 words, 4 tokens for 3 words"),
    "picture_tokens": Figure(1280, "assumed", "28 x 28 pixels a token (Qwen2.5-VL), one megapixel"),
    "object_tokens": Figure(300, "assumed", "ten boxes with their phrases"),
    "question_tokens": Figure(80, "assumed", "a question with four choices"),
    "candidates_per_questioner_request": Figure(2, "assumed", "the prompt asks for one to three questions"),
    "accepted_seed_questions": Figure(0.5, "assumed", "share of candidates that pass all checks"),
    "accepted_composed_questions": Figure(0.5, "assumed", "share of candidates that pass all checks"),
    "completion_share": Figure(0.25, "assumed", "tokens written, of the role's max_tokens"),
    "objects_per_picture": Figure(10, "assumed", "boxes a picture"),
    "sft_examples_per_question": Figure(0.753, "given", _PAPER),
    "pairs_per_question": Figure(0.129, "given", _PAPER),
    "event_log_bytes_per_materialization": Figure(
        176_000,
        "measured",
        "python -m benchmarks.scale --questions 10000: 33 MB of 189, with their checks (docs/scale.md)",
    ),
}
