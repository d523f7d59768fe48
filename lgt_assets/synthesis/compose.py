"""Stage 2: questions of one picture composed into a harder one. The checks on them are in :mod:`.verify`."""

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import random_of, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.composition_kinds import RULES, answer_of, choose_groups
from lgt_assets.synthesis.facts import by_key, facts_by_image, in_order
from lgt_assets.synthesis.parsing import ParsedQuestion, Rejected
from lgt_assets.synthesis.plain_text import plain
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.questions import DUPLICATE_QUESTION, parsed_questions, question_columns
from lgt_assets.synthesis.verify import apply_verification, plan_verification

__all__ = ["apply_verification", "build_compositions", "plan_compositions", "plan_verification"]

ASSET = "composed_questions"
SAME_AS_PARENT = "same_as_parent"
EXTRA_QUESTION = "extra_question"
DEFAULT_TYPE = "Multi-hop"


def plan_compositions(
    images: pl.DataFrame, objects: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> list[Planned]:
    """Up to ``profile.compose.per_image`` requests per picture, each with two or more parents and a kind.

    Args:
        images: rows of ``images`` of one shard.
        objects: their rows of ``grounded_objects``.
        questions: their rows of ``seed_questions``.
    """
    sampling, template_hash = profile.role("composer").sampling.sampling(), prompts.template_hash("composer")
    asked, settings = by_key(in_order(questions), "image_id"), profile.compose
    planned = []
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
                "position": len(planned), "image_id": image_id, "composition_kind": kind, "parent_question_ids": parent_ids,
                "parent_questions": [parent["question"] for parent in parents],
                "object_ids": list(dict.fromkeys(i for parent in parents for i in parent["object_ids"])),
            }  # fmt: skip
            planned.append(Planned(Request(messages, sampling, seed, template_hash=template_hash), context))
    return planned


def _as_shown(parent: dict) -> dict:
    return {
        "question": parent["question"], "choices": list(parent["choices"]), "answer_index": parent["answer_index"],
        "answer": answer_of(parent), "question_type": parent["question_type"],
    }  # fmt: skip


def build_compositions(shard: str, answered: list[Answered]) -> Outcome:
    """Candidate rows of ``composed_questions``, not verified yet, from the composer's replies in any order.

    Rejection reasons: those of :func:`.parsing.parse_questions`, ``duplicate_question``, ``same_as_parent``, and
    ``extra_question`` for all after the first of one reply.
    """
    outcome = Outcome()
    asked: set[tuple[str, str]] = set()
    for answer in sorted(answered, key=lambda answer: answer.context["position"]):
        outcome.asked += 1
        items = parsed_questions(answer)
        outcome.parsed += any(isinstance(item, ParsedQuestion) for item in items)
        kept = False
        for position, item in enumerate(items):
            refused = EXTRA_QUESTION if kept else _refusal(item, answer.context, asked)
            if refused is None:
                kept = True
                asked.add((answer.context["image_id"], plain(item.question)))
                outcome.rows.append(_row(shard, len(outcome.rows), item, answer))
                continue
            raw = item.raw if isinstance(item, Rejected) else item.question
            outcome.reject(
                shard, ASSET, refused, request_key=answer.request_key, parent_id=answer.context["parent_question_ids"][0],
                raw=raw, detail=f"parents {', '.join(answer.context['parent_question_ids'])}", position=position,
            )  # fmt: skip
    return outcome


def _refusal(item: ParsedQuestion | Rejected, context: dict, asked: set[tuple[str, str]]) -> str | None:
    if isinstance(item, Rejected):
        return item.reason
    if plain(item.question) in {plain(question) for question in context["parent_questions"]}:
        return SAME_AS_PARENT
    return DUPLICATE_QUESTION if (context["image_id"], plain(item.question)) in asked else None


def _row(shard: str, ordinal: int, parsed: ParsedQuestion, answer: Answered) -> dict:
    context = answer.context
    return question_columns(ASSET, shard, context["image_id"], parsed) | {
        "shard": shard, "ordinal": ordinal, "object_ids": list(context["object_ids"]),
        "question_type": parsed.question_type or DEFAULT_TYPE, "hops": len(context["parent_question_ids"]),
        "request_key": answer.request_key, "parent_question_ids": list(context["parent_question_ids"]),
        "composition_kind": context["composition_kind"], "support": None, "necessity": None, "blindness": None,
        "hardness": None, "votes": [],
    }  # fmt: skip
