"""Which column of a table names rows of which other tables. Light: it loads nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """``column`` of a table holds keys of ``key`` in any of ``tables``; ``is_list`` if a row names several."""

    column: str
    tables: tuple[str, ...]
    key: str
    is_list: bool = False


QUESTION_TABLES = ("seed_questions", "composed_questions")
_IMAGE = Reference("image_id", ("images",), "image_id")
_QUESTION = Reference("question_id", QUESTION_TABLES, "question_id")
_OBJECTS = Reference("object_ids", ("grounded_objects",), "object_id", is_list=True)
_SHOWN = Reference("images", ("images",), "image_id", is_list=True)

REFERENCES: dict[str, tuple[Reference, ...]] = {
    "images": (),
    "grounded_objects": (_IMAGE,),
    "seed_questions": (_IMAGE, _OBJECTS),
    "composed_questions": (
        _IMAGE, _OBJECTS, Reference("parent_question_ids", ("seed_questions",), "question_id", is_list=True),
    ),
    "distilled_cots": (_IMAGE, _QUESTION),
    "expanded_traces": (_IMAGE, _QUESTION, Reference("cot_id", ("distilled_cots",), "cot_id")),
    "preference_pairs": (_IMAGE, _QUESTION, _SHOWN),
    "sft_mix": (_IMAGE, _QUESTION, _SHOWN),
    "rl_prompts": (_IMAGE, _QUESTION, _SHOWN),
}  # fmt: skip
