"""Reading the questions that a writer wrote: tagged, half-tagged, or as plain or markdown lists."""

import re

from lgt_assets.synthesis.answers import CUT_OFF, LETTERS, NO_ANSWER, NOT_A_CHOICE, SEVERAL_ANSWERS, judge_answer
from lgt_assets.synthesis.choice_lists import ChoiceList, find_marked, split_choices
from lgt_assets.synthesis.parsed import ParsedQuestion, Rejected
from lgt_assets.synthesis.plain_text import half_width, plain
from lgt_assets.synthesis.question_lines import records_of_lines, strip_numbering
from lgt_assets.synthesis.question_records import Record, records_of_tags
from lgt_assets.synthesis.tags import QUESTION_TAG, find_tags, without_tags

NO_QUESTION = "no_question"
NO_CHOICES = "no_choices"
TOO_FEW_CHOICES = "too_few_choices"
TOO_MANY_CHOICES = "too_many_choices"
EMPTY_CHOICE = "empty_choice"
DUPLICATE_CHOICES = "duplicate_choices"
_BROKEN_TAG = re.compile(r"</?[a-z]{0,9}\Z", re.IGNORECASE)
_NUMBER = re.compile(r"[(\[]?(\d{1,2})[)\].:]?")


def parse_questions(text: str) -> list[ParsedQuestion | Rejected]:
    """The questions in a writer's reply, in the order written; pure, total, linear in the text's length.

    Expected is ``<question>…</question><choices>(A) … (B) …</choices><answer>…</answer><type>…</type>``, once or more, with
    anything around it; thoughts are passed over. Lists, markdown and missing tags are read as well.

    Returns:
        At least one item. A rejection's reason is one of ``no_question``, ``no_choices``, ``too_few_choices``,
        ``too_many_choices``, ``empty_choice``, ``duplicate_choices``, ``no_answer``, ``answer_not_a_choice``,
        ``several_answers``, ``cut_off``; its raw text is the question's part of ``text``.
    """
    body = _without_thoughts(text)
    if body is None:
        return [Rejected(CUT_OFF, text)]
    tags = find_tags(QUESTION_TAG, body)
    if any(tag.name in ("question", "choices", "options") for tag in tags):
        records = records_of_tags(body, tags)
    else:
        body = without_tags(QUESTION_TAG, body)
        records = records_of_lines(body)
    records = [record for record in records if record.question.strip() or record.pieces]
    if not records:
        return [Rejected(NO_QUESTION, text)]
    ends = [record.start for record in records[1:]] + [len(body)]
    return [_judge(record, body[record.start : end]) for record, end in zip(records, ends, strict=True)]


def _without_thoughts(text: str) -> str | None:
    """``text`` without its thoughts; None where it ends within one."""
    kept, position, depth = [], 0, 0
    for tag in find_tags(QUESTION_TAG, text):
        if tag.name != "think":
            continue
        if tag.closes:
            if depth == 0:
                kept.clear()  # a thought whose opening tag was part of the prompt
            depth = 0
        else:
            if depth == 0:
                kept.append(text[position : tag.start])
            depth = 1
        position = tag.end
    if depth:
        return None if not any(part.strip() for part in kept) else "\n".join(kept)
    return "\n".join([*kept, text[position:]])


def _judge(record: Record, raw: str) -> ParsedQuestion | Rejected:
    """The question that ``record`` holds, or the first thing wrong with it."""
    question, listed = _question_and_choices(record)
    problem = _problem(record, question, listed)
    if problem:
        return Rejected(CUT_OFF if record.cut_off or _BROKEN_TAG.search(raw) else problem, raw)
    verdict = _key(record.pieces["answer"], listed)
    if isinstance(verdict, str):
        return Rejected(verdict, raw)
    return ParsedQuestion(question, list(listed.choices), verdict, _type(record))


def _question_and_choices(record: Record) -> tuple[str, ChoiceList | None]:
    """The question's text and its choices, which may stand within it."""
    pieces = list(dict.fromkeys(record.pieces.get("choices", [])))
    if pieces:
        return strip_numbering(record.question), split_choices("\n".join(pieces))
    within = find_marked(half_width(record.question))
    if within is None:
        return strip_numbering(record.question), None
    return strip_numbering(record.question[: within.start]), within


def _problem(record: Record, question: str, listed: ChoiceList | None) -> str | None:
    if not question.strip():
        return NO_QUESTION
    if record.cut_off:
        return CUT_OFF
    if listed is None or not listed.choices:
        return NO_CHOICES
    if not 2 <= len(listed.choices) <= len(LETTERS):
        return TOO_FEW_CHOICES if len(listed.choices) < 2 else TOO_MANY_CHOICES
    if not all(listed.choices):
        return EMPTY_CHOICE
    if len({plain(choice) for choice in listed.choices}) < len(listed.choices):
        return DUPLICATE_CHOICES
    return None if record.pieces.get("answer") else NO_ANSWER


def _key(answers: list[str], listed: ChoiceList) -> int | str:
    """The index of the choice that every answer names, or why there is none."""
    verdicts = {_key_of_one(answer, listed) for answer in answers}
    return verdicts.pop() if len(verdicts) == 1 else SEVERAL_ANSWERS


def _key_of_one(answer: str, listed: ChoiceList) -> int | str:
    verdict = judge_answer(answer, listed.choices)
    number = _NUMBER.fullmatch(answer.strip()) if listed.numbered and verdict == NOT_A_CHOICE else None
    if number and 1 <= int(number[1]) <= len(listed.choices):
        return int(number[1]) - 1
    return verdict


def _type(record: Record) -> str:
    """The type that the writer named, on one line; empty without one."""
    named = " ".join(record.pieces.get("type", [""])[0].replace("**", "").split())
    return named.strip(" .;:")
