"""The table of checks: what each is called, how severe it is, which tables it judges, and what measures it."""

from collections.abc import Callable
from dataclasses import dataclass

from lgt_assets.assets.picture_hashes import hashes_of
from lgt_assets.quality import balance, captions, consistency, rates, rules, source_gates
from lgt_assets.quality.findings import Finding, Slice
from lgt_assets.validation import BLOCKING_CHECKS, REFERENCES

ALL = tuple(REFERENCES)
QUESTIONS = ("seed_questions", "composed_questions")
TRACES = ("distilled_cots", "expanded_traces")
SOURCES_AND_QUESTIONS = ("images", "grounded_objects", *QUESTIONS, *TRACES)


@dataclass(frozen=True)
class Check:
    """One check of some tables. A blocking one closes the gate below a shard; others warn.

    Attributes:
        compares: whether it needs what it measured when the shard was made the time before.
    """

    name: str
    description: str
    tables: tuple[str, ...]
    measure: Callable[[Slice], Finding]
    compares: bool = False

    @property
    def blocking(self) -> bool:
        """Whether nothing may be made from a shard that fails it."""
        return self.name in BLOCKING_CHECKS


DECLARATIONS = (
    Check("schema", "Rows as stored satisfy the table's pandera model: types, ranges, uniqueness.", ALL, rules.schema),
    Check("keys", "Every row has a well-formed id of this table and shard, and each id comes once.", ALL, rules.keys),
    Check("parents", "Every id a row names exists in the same shard of a table it points to.", ALL, rules.parents),
    Check(
        "caption_length", "Few captions are short (checks.caption_words, checks.short_captions).", ("images",),
        source_gates.caption_length,
    ),
    Check(
        "caption_language", "Captions are in English (checks.caption_language, checks.foreign_captions).", ("images",),
        source_gates.caption_language,
    ),
    Check(
        "licence", "Pictures have a licence (checks.unknown_licences).", ("images",), source_gates.licence_present,
    ),
    Check(
        "picture_duplicates", "Few pictures look like an earlier one of the shard (checks.picture_duplicates).", ("images",),
        source_gates.picture_duplicates(lambda rows: hashes_of(rows.store, [rows.shard])),
    ),
    Check(
        "box_coverage", "Few pictures have no labelled box (checks.without_boxes).", ("grounded_objects",),
        source_gates.box_coverage,
    ),
    Check(
        "captions", "Captions are all written or all generated (captions.allow_generated).", ("images",), captions.captions,
    ),
    Check(
        "answer_positions", "Right answers fall on all positions alike (chi-square, checks.answer_position_p).",
        tuple(balance.POSITIONS), balance.answer_positions,
    ),
    Check(
        "type_quotas", "All types of the profile come, none takes over, few questions are of another type.",
        ("seed_questions",), balance.type_quotas,
    ),
    Check(
        "duplicates", "Few questions ask again what was asked of their picture (checks.duplicate_rate).", QUESTIONS,
        rates.duplicates,
    ),
    Check(
        "blindness", "Questions are not answered from their text alone (checks.blindness).", QUESTIONS, rates.blindness,
    ),
    Check(
        "acceptance", "Enough of what was judged was accepted (checks.acceptance).", SOURCES_AND_QUESTIONS, rates.acceptance,
    ),
    Check(
        "length_drift", "Texts are about as long as when the shard was last made (checks.length_drift).",
        tuple(rates.TEXTS), rates.length_drift, compares=True,
    ),
    Check(
        "consistency", "Flags follow from the answers, and thoughts come to the answer given (checks.contradictions).", TRACES,
        consistency.consistency,
    ),
)  # fmt: skip


def checks_of(table: str) -> list[Check]:
    """The checks that judge ``table``, blocking ones first."""
    return [check for check in DECLARATIONS if table in check.tables]
