"""Which columns every column is made from: one table of declarations, shown with the columns and as Dagster's column lineage.

A declaration lists ``table.column`` of upstream assets, or is :data:`OWN`: made by the asset itself, from a source's
file, the place of a row, or constants. Columns made from others of the same row name what those are made from.
"""

import dagster as dg

OWN = ""
_FACTS = (
    "images.caption grounded_objects.label grounded_objects.phrase grounded_objects.x0 grounded_objects.y0 "
    "grounded_objects.x1 grounded_objects.y1"
)  # what the writers are told of a picture
_PARENTS = "seed_questions.question seed_questions.choices seed_questions.answer_index"
_IDS = "seed_questions.question_id composed_questions.question_id"
_QUESTION = "seed_questions.question composed_questions.question"
_CHOICES = "seed_questions.choices composed_questions.choices"
_KEY = "seed_questions.answer_index composed_questions.answer_index"
_STAGE = "seed_questions.hops composed_questions.hops"
_PICTURE = "seed_questions.image_id composed_questions.image_id"
_SHARD = "seed_questions.shard composed_questions.shard"
_SHOWN = f"{_IDS} {_QUESTION} {_CHOICES}"  # the order of choices is drawn by the id
_CHAIN = "distilled_cots.thought distilled_cots.answer"
_TRACE = "expanded_traces.thought expanded_traces.answer"
_CHAIN_IDS = "distilled_cots.cot_id expanded_traces.trace_id"
_SEEN = "images.uri images.sha256"
_FOUND = f"images.caption {_SEEN}"  # by the detector; what a source gives is its own
_SAMPLES = "distilled_cots.answer_index distilled_cots.choices_shown"

LINEAGE: dict[str, dict[str, str]] = {
    "images": dict.fromkeys(
        (
            "shard", "ordinal", "image_id", "source", "uri", "sha256", "external_id", "width", "height", "caption",
            "caption_source", "request_key", "license", "attribution", "split",
        ),
        OWN,
    ),
    "grounded_objects": {
        "shard": "images.shard", "ordinal": OWN, "object_id": "images.image_id", "image_id": "images.image_id",
        "label": "images.caption", "phrase": "images.caption", "x0": _FOUND, "y0": _FOUND, "x1": _FOUND, "y1": _FOUND,
        "score": _FOUND, "box_source": OWN, "request_key": _FOUND,
    },
    "seed_questions": {
        "shard": "images.shard", "ordinal": OWN, "question_id": f"images.image_id {_FACTS}", "image_id": "images.image_id",
        "object_ids": "grounded_objects.object_id", "question": _FACTS, "choices": _FACTS, "answer_index": _FACTS,
        "question_type": _FACTS, "hops": OWN, "request_key": _FACTS, "blindness": _FACTS, "votes": _FACTS, "focus": _FACTS,
        "key_agreement": _FACTS,
    },
    "composed_questions": {
        "shard": "seed_questions.shard", "ordinal": OWN,
        "question_id": f"images.image_id {_FACTS} {_PARENTS}", "image_id": "images.image_id",
        "object_ids": "seed_questions.object_ids", "question": f"{_FACTS} {_PARENTS}", "choices": f"{_FACTS} {_PARENTS}",
        "answer_index": f"{_FACTS} {_PARENTS}", "question_type": f"{_FACTS} {_PARENTS}", "hops": "seed_questions.question_id",
        "request_key": f"{_FACTS} {_PARENTS}", "blindness": f"{_FACTS} {_PARENTS}",
        "votes": f"{_FACTS} {_PARENTS} seed_questions.question_id", "parent_question_ids": "seed_questions.question_id",
        "composition_kind": "seed_questions.question_type seed_questions.object_ids", "support": f"{_FACTS} {_PARENTS}",
        "necessity": f"{_FACTS} {_PARENTS}", "hardness": f"{_FACTS} {_PARENTS} {_SEEN}",
    },
    "distilled_cots": {
        "shard": _SHARD, "ordinal": OWN, "cot_id": f"{_SHOWN} {_SEEN}", "question_id": _IDS, "image_id": _PICTURE,
        "sample_index": OWN, "choices_shown": f"{_IDS} {_CHOICES}", "right_index": f"{_IDS} {_CHOICES} {_KEY}",
        "answer_format": _IDS, "thought": f"{_SHOWN} {_SEEN}", "answer": f"{_SHOWN} {_SEEN}",
        "answer_index": f"{_SHOWN} {_SEEN}", "is_correct": f"{_SHOWN} {_KEY} {_SEEN}", "behaviours": f"{_SHOWN} {_SEEN}",
        "request_key": f"{_SHOWN} {_SEEN}",
    },
    "expanded_traces": {
        "shard": _SHARD, "ordinal": OWN, "trace_id": f"distilled_cots.cot_id {_CHAIN} {_FACTS} {_QUESTION}",
        "cot_id": "distilled_cots.cot_id", "question_id": "distilled_cots.question_id", "image_id": "distilled_cots.image_id",
        "cue": "distilled_cots.cot_id", "sample_index": OWN, "thought": f"{_CHAIN} {_FACTS} {_QUESTION}",
        "added_thought": f"{_CHAIN} {_FACTS} {_QUESTION} distilled_cots.choices_shown",
        "answer": f"{_CHAIN} {_FACTS} {_QUESTION} distilled_cots.choices_shown distilled_cots.answer_format",
        "answer_index": f"{_CHAIN} {_FACTS} {_QUESTION} distilled_cots.choices_shown",
        "is_correct": f"{_CHAIN} {_FACTS} {_QUESTION} distilled_cots.choices_shown distilled_cots.right_index",
        "transition": f"{_CHAIN} {_FACTS} {_QUESTION} distilled_cots.is_correct distilled_cots.right_index",
        "behaviours": f"{_CHAIN} {_FACTS} {_QUESTION}", "judged_behaviours": f"{_CHAIN} {_FACTS} {_QUESTION}",
        "consistency": f"{_CHAIN} {_FACTS} {_QUESTION}", "votes": f"{_CHAIN} {_FACTS} {_QUESTION}",
        "request_key": f"{_CHAIN} {_FACTS} {_QUESTION}",
    },
    "preference_pairs": {
        "shard": _SHARD, "ordinal": OWN, "pair_id": _CHAIN_IDS, "question_id": _IDS, "image_id": _PICTURE, "stage": _STAGE,
        "kind": f"distilled_cots.is_correct expanded_traces.is_correct {_CHAIN} {_TRACE}", "prompt": _SHOWN,
        "images": _PICTURE, "chosen": f"{_CHAIN} {_TRACE}", "rejected": f"{_CHAIN} {_TRACE}", "chosen_id": _CHAIN_IDS,
        "rejected_id": _CHAIN_IDS, "chosen_characters": f"{_CHAIN} {_TRACE}", "rejected_characters": f"{_CHAIN} {_TRACE}",
    },
    "sft_mix": {
        "shard": _SHARD, "ordinal": OWN, "example_id": f"{_IDS} {_CHAIN_IDS}", "question_id": _IDS, "image_id": _PICTURE,
        "stage": _STAGE, "recipe": OWN, "messages": f"{_SHOWN} {_KEY} {_CHAIN} {_TRACE}", "images": _PICTURE,
        "origin_id": f"{_IDS} {_CHAIN_IDS}",
    },
    "rl_prompts": {
        "shard": _SHARD, "ordinal": OWN, "prompt_id": _IDS, "question_id": _IDS, "image_id": _PICTURE, "stage": _STAGE,
        "form": f"{_QUESTION} {_CHOICES} {_KEY}", "messages": _SHOWN, "images": _PICTURE, "choices_shown": f"{_IDS} {_CHOICES}",
        "verification": f"{_QUESTION} {_CHOICES} {_KEY}", "ground_truth": f"{_IDS} {_CHOICES} {_KEY}",
        "answer_text": f"{_CHOICES} {_KEY}", "pass_rate": f"{_SAMPLES} {_IDS} {_CHOICES} {_KEY}",
        "pass_rate_low": f"{_SAMPLES} {_IDS} {_CHOICES} {_KEY}", "pass_rate_high": f"{_SAMPLES} {_IDS} {_CHOICES} {_KEY}",
        "samples": f"{_SAMPLES} {_IDS} {_CHOICES}", "difficulty": f"{_SAMPLES} {_IDS} {_CHOICES} {_KEY}",
    },
    "release": {
        "release_id": (
            "sft_mix.messages preference_pairs.prompt preference_pairs.chosen preference_pairs.rejected rl_prompts.messages "
            "rl_prompts.ground_truth images.split"
        ),
        "number": OWN, "uri": OWN, "code_version": OWN, "inputs": OWN, "shards": OWN, "settings": OWN, "libraries": OWN,
        "files": (
            "sft_mix.messages preference_pairs.prompt preference_pairs.chosen preference_pairs.rejected rl_prompts.messages "
            "rl_prompts.ground_truth images.split images.sha256"
        ),
        "facts": (
            "images.license images.attribution images.caption_source seed_questions.question_type composed_questions.hops "
            "sft_mix.recipe preference_pairs.kind rl_prompts.pass_rate"
        ),
        "excluded": (
            "images.sha256 seed_questions.question composed_questions.question sft_mix.messages preference_pairs.prompt "
            "preference_pairs.chosen preference_pairs.rejected rl_prompts.messages"
        ),
    },
}  # fmt: skip


def columns_from(table: str) -> dict[str, list[tuple[str, str]]]:
    """For each declared column of ``table`` the (table, column) pairs it is made from; none for its own.

    Raises:
        KeyError: the table has no declaration.
    """
    return {
        column: [(name.partition(".")[0], name.partition(".")[2]) for name in declared.split()]
        for column, declared in LINEAGE[table].items()
    }


def column_lineage(table: str) -> dg.TableColumnLineage:
    """The declarations of ``table`` as Dagster's own value, for the metadata ``dagster/column_lineage``."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(upstream), name) for upstream, name in pairs]
            for column, pairs in columns_from(table).items()
        }
    )


def described(table: str, column: str) -> str:
    """Origin of a column in words: ``From images: caption; seed_questions: question, choices.``"""
    by_table: dict[str, list[str]] = {}
    for upstream, name in columns_from(table)[column]:
        by_table.setdefault(upstream, []).append(name)
    if not by_table:
        return "Made here."
    return "From " + "; ".join(f"{upstream}: {', '.join(names)}" for upstream, names in by_table.items()) + "."
