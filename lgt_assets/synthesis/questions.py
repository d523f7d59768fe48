"""Stage 1: questions about one or a few grounded objects, several per picture, of varied type, focus and prompt.

What is written here are candidates; :mod:`.question_checks` has the verifier vote on them.
"""

from collections.abc import Iterable, Iterator

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import random_of, row_id, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile, QuestionSettings
from lgt_assets.synthesis.candidates import reject_candidate
from lgt_assets.synthesis.facts import facts_by_image
from lgt_assets.synthesis.focus import draw_focuses
from lgt_assets.synthesis.near_duplicates import AskedQuestion, asked_question, duplicate_reason
from lgt_assets.synthesis.parsing import ParsedQuestion, Rejected, parse_questions
from lgt_assets.synthesis.planned import Answered, Outcome, Planned

ASSET = "seed_questions"
ROLE = "questioner"
CUT_OFF = "cut_off"


def plan_questions(
    images: pl.DataFrame, objects: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Iterator[Planned]:
    """One request per picture, question type and focus: ``profile.questions.per_image`` of them per picture.

    The prompt is any of the set's ``questioner.jinja`` and ``questioner.<variant>.jinja``, drawn by picture and turn.

    Args:
        images: rows of ``images`` of one shard.
        objects: their rows of ``grounded_objects``; a picture without any gets questions about the whole scene.

    Returns:
        Requests for the questioner, by picture.
    """
    sampling, templates = profile.role(ROLE).sampling.sampling(), prompts.variants(ROLE)
    for image_id, facts in facts_by_image(images, objects).items():
        for index, (question_type, focus) in enumerate(draw_focuses(facts, profile.questions)):
            template = random_of(image_id, "template", index).choice(templates)
            messages = prompts.messages(
                template, caption=facts.image["caption"], objects=facts.described(),
                focus=facts.described(list(focus.object_ids)), part=focus.part, question_type=question_type,
            )  # fmt: skip
            request = Request(
                messages, sampling, seed_of(image_id, ROLE, index), template_hash=prompts.template_hash(template)
            )
            context = {
                "image_id": image_id, "object_ids": list(focus.object_ids), "focus": focus.kind, "template": template,
                "question_type": question_type,
            }  # fmt: skip
            yield Planned(request, context)


def build_questions(shard: str, answered: Iterable[Answered], *, settings: QuestionSettings) -> Outcome:
    """Candidate rows of ``seed_questions``, not voted on yet, from the questioner's replies in the order of the plan.

    Rejection reasons: those of :func:`.parsing.parse_questions`, ``cut_off``, and ``duplicate_question`` and
    ``near_duplicate`` of an earlier question of the picture.
    """
    outcome = Outcome()
    image_id, asked = None, []  # questions of the picture at hand: replies come picture by picture
    for answer in answered:
        if answer.context["image_id"] != image_id:
            image_id, asked = answer.context["image_id"], []
        outcome.asked += 1
        items = parsed_questions(answer)
        outcome.parsed += any(isinstance(item, ParsedQuestion) for item in items)
        for position, item in enumerate(items):
            if isinstance(item, Rejected):
                outcome.reject(
                    shard, ASSET, item.reason, request_key=answer.request_key, parent_id=image_id, raw=item.raw,
                    position=position,
                )  # fmt: skip
                continue
            row, new = _row(shard, len(outcome.rows), item, answer), as_asked(item)
            refused = duplicate_reason(new, asked, settings.near_duplicate_similarity)
            if refused is not None:
                reject_candidate(outcome, ASSET, row, refused, parent_id=image_id, position=position)
                continue
            asked.append(new)
            outcome.rows.append(row)
    return outcome


def as_asked(parsed: ParsedQuestion) -> AskedQuestion:
    """A parsed question as it is compared with others."""
    return asked_question(parsed.question, parsed.choices[parsed.answer_index])


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
        "answer_index": choices.index(answer), "blindness": None, "votes": [],
    }  # fmt: skip


def _row(shard: str, ordinal: int, parsed: ParsedQuestion, answer: Answered) -> dict:
    context = answer.context
    return question_columns(ASSET, shard, context["image_id"], parsed) | {
        "shard": shard, "ordinal": ordinal, "object_ids": list(context["object_ids"]), "focus": context["focus"],
        "question_type": parsed.question_type or context["question_type"], "hops": 1, "request_key": answer.request_key,
        "key_agreement": None,
    }  # fmt: skip
