"""What lineage knows of each table: its key, what is said of a row in one line, and which columns name other rows."""

from collections.abc import Iterator, Mapping

from lgt_assets.identity import LETTER_BY_TABLE
from lgt_assets.references import REFERENCES, Reference

_TRACES = ("distilled_cots", "expanded_traces")
_ORIGINS = ("seed_questions", "composed_questions", *_TRACES)
# Columns that name rows of several tables, which the blocking checks leave to the code that writes them.
FURTHER_REFERENCES: dict[str, tuple[Reference, ...]] = {
    "preference_pairs": (Reference("chosen_id", _TRACES, ""), Reference("rejected_id", _TRACES, "")),
    "sft_mix": (Reference("origin_id", _ORIGINS, ""),),
    "rejections": (Reference("parent_id", tuple(LETTER_BY_TABLE), ""),),
}
KEYS = {
    "images": "image_id", "grounded_objects": "object_id", "seed_questions": "question_id",
    "composed_questions": "question_id", "distilled_cots": "cot_id", "expanded_traces": "trace_id",
    "preference_pairs": "pair_id", "sft_mix": "example_id", "rl_prompts": "prompt_id", "rejections": "rejection_id",
}  # fmt: skip
# What is said of a row in one line.
LABELS = {
    "images": ("caption",), "grounded_objects": ("phrase", "x0", "y0", "x1", "y1"), "seed_questions": ("question",),
    "composed_questions": ("question",), "distilled_cots": ("answer", "is_correct"),
    "expanded_traces": ("cue", "answer", "transition"), "preference_pairs": ("kind",), "sft_mix": ("recipe", "stage"),
    "rl_prompts": ("difficulty", "pass_rate"),
    "rejections": ("asset", "reason"),
}  # fmt: skip
# Tables whose rows were parsed from a completion (of the first two, those that did not come with the source), and those with
# votes of the verifier.
WRITTEN_BY_MODELS = (
    "images",
    "grounded_objects",
    "seed_questions",
    "composed_questions",
    "distilled_cots",
    "expanded_traces",
)
VOTED_ON = ("seed_questions", "composed_questions", "expanded_traces")


def references_of(table: str) -> tuple[Reference, ...]:
    """All columns of ``table`` that name other rows."""
    return (*REFERENCES.get(table, ()), *FURTHER_REFERENCES.get(table, ()))


def named_in(table: str, row: Mapping) -> tuple[str, ...]:
    """Ids that a row names, each once, in the order of its columns."""
    found: list[str] = []
    for reference in references_of(table):
        value = row[reference.column]
        found += (value or ()) if reference.is_list else () if value is None else (value,)
    return tuple(dict.fromkeys(found))


def request_keys(row: Mapping) -> Iterator[str]:
    """Keys of all completions that a row came from or was judged by."""
    judged = row.get("judged_behaviours") or {}
    votes = (vote["request_key"] for vote in row.get("votes") or ())
    yield from filter(None, (row.get("request_key"), *votes, judged.get("request_key")))
