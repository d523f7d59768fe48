"""Stage 1: questions about one or a few grounded objects, several per picture, of varied type and focus."""

import random

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import random_of, row_id, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile, QuestionSettings
from lgt_assets.synthesis.facts import Facts, facts_by_image
from lgt_assets.synthesis.parsing import ParsedQuestion, Rejected, parse_questions
from lgt_assets.synthesis.plain_text import plain
from lgt_assets.synthesis.planned import Answered, Outcome, Planned

ASSET = "seed_questions"
DUPLICATE_QUESTION = "duplicate_question"
CUT_OFF = "cut_off"
_TRIES = 12


def plan_questions(
    images: pl.DataFrame, objects: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> list[Planned]:
    """One request per picture, question type and focus: ``profile.questions.per_image`` of them per picture.

    Args:
        images: rows of ``images`` of one shard.
        objects: their rows of ``grounded_objects``; a picture without any gets questions about the whole scene.

    Returns:
        Requests for the questioner, by picture.
    """
    sampling, template_hash = profile.role("questioner").sampling.sampling(), prompts.template_hash("questioner")
    planned = []
    for image_id, facts in facts_by_image(images, objects).items():
        for index, (question_type, focus) in enumerate(draw_focuses(facts, profile.questions)):
            messages = prompts.messages(
                "questioner", caption=facts.image["caption"], objects=facts.described(), focus=facts.described(focus),
                question_type=question_type,
            )  # fmt: skip
            request = Request(messages, sampling, seed_of(image_id, "questioner", index), template_hash=template_hash)
            context = {
                "position": len(planned), "image_id": image_id, "object_ids": focus, "question_type": question_type,
            }  # fmt: skip
            planned.append(Planned(request, context))
    return planned


def draw_focuses(facts: Facts, settings: QuestionSettings) -> list[tuple[str, list[str]]]:
    """(question type, object_ids in focus) of every request for a picture, drawn by the picture's own seed.

    Types take turns; among focuses of a type's sizes the least used objects come first, and no (type, focus) comes
    twice while there is another. An empty focus is the whole scene.
    """
    generator = random_of(facts.image["image_id"], "focus")
    object_ids = [row["object_id"] for row in facts.objects]
    types = generator.sample(settings.types, len(settings.types))
    used_pairs: set[tuple[str, frozenset[str]]] = set()
    used = dict.fromkeys(object_ids, 0)
    drawn = []
    for index in range(settings.per_image):
        question_type = types[index % len(types)]
        focus = _draw_focus(question_type, settings.sizes(question_type), used, used_pairs, generator)
        used_pairs.add((question_type, frozenset(focus)))
        for object_id in focus:
            used[object_id] += 1
        drawn.append((question_type, focus))
    return drawn


def _draw_focus(
    question_type: str, sizes: tuple[int, ...], used: dict[str, int], used_pairs: set, generator: random.Random
) -> list[str]:
    """A focus that the type has not had, if some tries find one; the least used objects first."""
    focus: list[str] = []
    for _ in range(_TRIES):
        size = min(generator.choice(sizes), len(used))
        ranked = sorted(used, key=lambda object_id: (used[object_id], generator.random()))
        focus = ranked[:size]
        if (question_type, frozenset(focus)) not in used_pairs:
            return focus
        focus = generator.sample(list(used), size)
        if (question_type, frozenset(focus)) not in used_pairs:
            return focus
    return focus


def build_questions(shard: str, answered: list[Answered]) -> Outcome:
    """Rows of ``seed_questions`` from the questioner's replies, whatever order these come in.

    Rejection reasons: those of :func:`.parsing.parse_questions`, and ``duplicate_question``.
    """
    outcome = Outcome()
    asked: set[tuple[str, str]] = set()
    for answer in sorted(answered, key=lambda answer: answer.context["position"]):
        outcome.asked += 1
        items = parsed_questions(answer)
        outcome.parsed += any(isinstance(item, ParsedQuestion) for item in items)
        for position, item in enumerate(items):
            image_id = answer.context["image_id"]
            refused = item.reason if isinstance(item, Rejected) else None
            if isinstance(item, ParsedQuestion) and (image_id, plain(item.question)) in asked:
                refused = DUPLICATE_QUESTION
            if refused is not None:
                raw = item.raw if isinstance(item, Rejected) else item.question
                outcome.reject(
                    shard,
                    ASSET,
                    refused,
                    request_key=answer.request_key,
                    parent_id=image_id,
                    raw=raw,
                    position=position,
                )
                continue
            asked.add((image_id, plain(item.question)))
            outcome.rows.append(_row(shard, len(outcome.rows), item, answer))
    return outcome


def parsed_questions(answer: Answered) -> list[ParsedQuestion | Rejected]:
    """The questions in a reply; where it ran into its length limit, the last one is taken for cut off."""
    text = answer.completion.text
    items = parse_questions(text)
    if answer.completion.finish_reason == "length" and not text.rstrip().endswith(">"):
        last = items[-1]
        items[-1] = Rejected(CUT_OFF, last.raw if isinstance(last, Rejected) else last.question)
    return items


def question_columns(table: str, shard: str, image_id: str, parsed: ParsedQuestion) -> dict:
    """What seed and composed rows share: the id, and choices shuffled by the question's own seed.

    The id depends on the picture, the question, its choices in any order, and the right answer's text.
    """
    answer = parsed.choices[parsed.answer_index]
    question_id = row_id(table, shard, image_id, parsed.question, sorted(parsed.choices), answer)
    choices = sorted(parsed.choices)
    random_of(question_id, "choices").shuffle(choices)
    return {
        "question_id": question_id, "image_id": image_id, "question": parsed.question, "choices": choices,
        "answer_index": choices.index(answer),
    }  # fmt: skip


def _row(shard: str, ordinal: int, parsed: ParsedQuestion, answer: Answered) -> dict:
    context = answer.context
    return question_columns(ASSET, shard, context["image_id"], parsed) | {
        "shard": shard, "ordinal": ordinal, "object_ids": list(context["object_ids"]),
        "question_type": parsed.question_type or context["question_type"], "hops": 1, "request_key": answer.request_key,
    }  # fmt: skip
