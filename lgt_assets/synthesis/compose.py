"""Stage 2: questions of one picture composed into a harder one. The checks on them are in :mod:`.verify` and :mod:`.hardness`."""

from collections.abc import Iterable, Iterator

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import random_of, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile, QuestionSettings
from lgt_assets.synthesis.candidates import reject_candidate
from lgt_assets.synthesis.composition_kinds import RULES, answer_of, choose_groups
from lgt_assets.synthesis.facts import by_key, facts_by_image, in_order
from lgt_assets.synthesis.near_duplicates import AskedQuestion, asked_question, duplicate_reason
from lgt_assets.synthesis.parsing import ParsedQuestion, Rejected
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.questions import as_asked, parsed_questions, question_columns

ASSET = "composed_questions"
SAME_AS_PARENT = "same_as_parent"
EXTRA_QUESTION = "extra_question"
DEFAULT_TYPE = "Multi-hop"


def plan_compositions(
    images: pl.DataFrame, objects: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Iterator[Planned]:
    """Up to ``profile.compose.per_image`` requests per picture, each with two or more parents and a kind.

    Args:
        images: rows of ``images`` of one shard.
        objects: their rows of ``grounded_objects``.
        questions: their rows of ``seed_questions``.
    """
    sampling, template_hash = profile.role("composer").sampling.sampling(), prompts.template_hash("composer")
    asked, settings = by_key(in_order(questions), "image_id"), profile.compose
    for image_id, facts in facts_by_image(images, objects).items():
        generator = random_of(image_id, "composition")
        rows = sorted(asked.get(image_id, []), key=lambda row: row["question_id"])
        groups = choose_groups(rows, settings.per_image, settings.parents, RULES[settings.kinds_from], generator)
        for kind, parents in groups:
            messages = prompts.messages(
                "composer", caption=facts.image["caption"], objects=facts.described(),
                parents=[_as_shown(parent) for parent in parents], composition_kind=kind,
            )  # fmt: skip
            parent_ids = [parent["question_id"] for parent in parents]
            seed = seed_of(image_id, "composer", kind, *parent_ids)
            context = {
                "image_id": image_id, "composition_kind": kind, "parent_question_ids": parent_ids,
                "parent_questions": [[parent["question"], answer_of(parent)] for parent in parents],
                "object_ids": list(dict.fromkeys(i for parent in parents for i in parent["object_ids"])),
            }  # fmt: skip
            yield Planned(Request(messages, sampling, seed, template_hash=template_hash), context)


def _as_shown(parent: dict) -> dict:
    return {
        "question": parent["question"], "choices": list(parent["choices"]), "answer_index": parent["answer_index"],
        "answer": answer_of(parent), "question_type": parent["question_type"],
    }  # fmt: skip


def build_compositions(shard: str, answered: Iterable[Answered], *, settings: QuestionSettings) -> Outcome:
    """Candidate rows of ``composed_questions``, not verified yet, from the composer's replies in the order of the plan.

    Rejection reasons: those of :func:`.parsing.parse_questions`, ``cut_off``, ``same_as_parent`` (in meaning too),
    ``duplicate_question`` and ``near_duplicate`` of an earlier composition of the picture, and ``extra_question`` for all
    after the first of one reply.

    Args:
        shard: key of the shard.
        answered: the composer's replies, picture by picture.
        settings: from which similarity on two questions are near-duplicates.
    """
    outcome = Outcome()
    image_id, asked = None, []
    for answer in answered:
        if answer.context["image_id"] != image_id:
            image_id, asked = answer.context["image_id"], []
        outcome.asked += 1
        items = parsed_questions(answer)
        outcome.parsed += any(isinstance(item, ParsedQuestion) for item in items)
        kept = False
        for position, item in enumerate(items):
            parent_ids = answer.context["parent_question_ids"]
            shared = {"parent_id": parent_ids[0], "detail": f"parents {', '.join(parent_ids)}", "position": position}
            if isinstance(item, Rejected):
                outcome.reject(shard, ASSET, item.reason, request_key=answer.request_key, raw=item.raw, **shared)
                continue
            row, new = _row(shard, len(outcome.rows), item, answer), as_asked(item)
            refused = EXTRA_QUESTION if kept else _refusal(new, answer.context, asked, settings)
            if refused is not None:
                reject_candidate(outcome, ASSET, row, refused, **shared)
                continue
            kept = True
            asked.append(new)
            outcome.rows.append(row)
    return outcome


def _refusal(new: AskedQuestion, context: dict, asked: list[AskedQuestion], settings: QuestionSettings) -> str | None:
    parents = [asked_question(question, answer) for question, answer in context["parent_questions"]]
    if duplicate_reason(new, parents, settings.near_duplicate_similarity) is not None:
        return SAME_AS_PARENT
    return duplicate_reason(new, asked, settings.near_duplicate_similarity)


def _row(shard: str, ordinal: int, parsed: ParsedQuestion, answer: Answered) -> dict:
    context = answer.context
    return question_columns(ASSET, shard, context["image_id"], parsed) | {
        "shard": shard, "ordinal": ordinal, "object_ids": list(context["object_ids"]),
        "question_type": parsed.question_type or DEFAULT_TYPE, "hops": len(context["parent_question_ids"]),
        "request_key": answer.request_key, "parent_question_ids": list(context["parent_question_ids"]),
        "composition_kind": context["composition_kind"], "support": None, "necessity": None, "hardness": None,
    }  # fmt: skip
