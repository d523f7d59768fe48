"""Reading the questions that a writer wrote: tagged, half-tagged, as plain or markdown lists, tables, or JSON."""

import re

from lgt_assets.synthesis.answer_keys import answers_of_key, split_answer_key
from lgt_assets.synthesis.answers import judge_answer
from lgt_assets.synthesis.choice_lists import (
    IN_ROMAN,
    NUMBERED,
    ROMAN,
    ChoiceList,
    find_marked,
    split_choices,
    without_marks,
)
from lgt_assets.synthesis.parsed import (
    CUT_OFF,
    DUPLICATE_CHOICES,
    EMPTY_CHOICE,
    FEWEST_CHOICES,
    MOST_CHOICES,
    NO_ANSWER,
    NO_CHOICES,
    NO_QUESTION,
    NOT_A_CHOICE,
    SEVERAL_ANSWERS,
    TOO_FEW_CHOICES,
    TOO_MANY_CHOICES,
    ParsedQuestion,
    Rejected,
)
from lgt_assets.synthesis.plain_text import half_width, plain
from lgt_assets.synthesis.question_lines import records_of_lines, strip_numbering
from lgt_assets.synthesis.question_objects import QUESTION_FIELD, records_of_objects
from lgt_assets.synthesis.question_records import Record, records_of_tags
from lgt_assets.synthesis.question_tables import records_of_table
from lgt_assets.synthesis.tags import QUESTION_TAG, find_tags, labelled_for_tags, with_real_tags, without_tags

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u2060"))
_BROKEN_TAG = re.compile(r"</?[a-z]{0,9}\Z", re.IGNORECASE)
_MARKER = re.compile(r"(?:(?:option|choice)[ \t]+)?[(\[]?(\d{1,2}|[ivxIVX]{1,4})(?:[)\].:]+[ \t]*|\Z)", re.IGNORECASE)
_ITEM_TAG = re.compile(r"<\s?(/?)\s?(?:choice|option|item|li|br)(?:\s[^<>]{0,60})?/?\s?>", re.IGNORECASE)
_MARKUP_TAG = re.compile(r"</?(?:b|strong|i|em|u|p|span|div|text|mcq|ul|ol)\s?/?>", re.IGNORECASE)
_LETTER_TAG = re.compile(r"<([A-J])>([^<>]{1,400})</\1>")


def parse_questions(text: str) -> list[ParsedQuestion | Rejected]:
    """The questions in a writer's reply, in the order written; pure, total, linear in the text's length.

    Expected is ``<question>…</question><choices>(A) … (B) …</choices><answer>…</answer><type>…</type>``, once or more, with
    anything around it; thoughts are passed over. Lists, tables, JSON, markdown and missing tags are read as well, and a
    key at the end.

    Returns:
        At least one item. A rejection's reason is one of those of :mod:`.parsed`; its raw text is the question's part of
        ``text``.
    """
    body = _without_thoughts(text if text.isascii() else text.translate(_INVISIBLE))
    if body is None:
        return [Rejected(CUT_OFF, text)]
    for collect in (_from_objects, _from_tags, _from_table, _from_lines):
        body_read, records = collect(body)
        records = [record for record in records if record.question.strip() or record.pieces]
        if records:
            break
    else:
        return [Rejected(NO_QUESTION, text)]
    ends = [record.start for record in records[1:]] + [len(body_read)]
    return [_judge(record, body_read[record.start : end]) for record, end in zip(records, ends, strict=True)]


def _from_objects(body: str) -> tuple[str, list[Record]]:
    return body, records_of_objects(body) if QUESTION_FIELD.search(body) and "{" in body else []


def _from_tags(body: str) -> tuple[str, list[Record]]:
    if "<" not in body and "＜" not in body and "&lt;" not in body:
        return body, []
    body = _ITEM_TAG.sub(lambda match: "\n" if match[1] or match[0][1:3].lower() == "br" else "\n- ", body)
    body = _MARKUP_TAG.sub(" ", _LETTER_TAG.sub(r"\n(\1) \2\n", body))
    if "</questions>" in body:  # a wrapper around all of them, or a question closed by a wrong name
        body = body.replace("<questions>", "").replace("</questions>", "" if "<questions>" in body else "</question>")
    body, tags = with_real_tags(QUESTION_TAG, body)
    if not any(tag.name in ("question", "choices") for tag in tags):
        return body, []
    records = records_of_tags(body, tags)
    ends = [record.start for record in records[1:]] + [len(body)]
    return body, [_mended(record, body, end) for record, end in zip(records, ends, strict=True)]


def _mended(record: Record, body: str, end: int) -> Record:
    """``record``, or what its lines say where its tags leave out the choices or the answer ("Answer: B" after them)."""
    if record.cut_off or (record.pieces.get("choices") and record.pieces.get("answer")) or find_marked(record.question):
        return record
    found = records_of_lines(labelled_for_tags(body[record.start : end]))
    if len(found) != 1 or len(found[0].pieces) <= len(record.pieces):
        return record
    return Record(record.start, found[0].question, found[0].pieces)


def _from_table(body: str) -> tuple[str, list[Record]]:
    return body, records_of_table(body) if body.count("|") > 3 else []


def _from_lines(body: str) -> tuple[str, list[Record]]:
    body = without_tags(QUESTION_TAG, body)
    before, key = split_answer_key(body)
    if key:
        records = records_of_lines(before)
        answers = answers_of_key(key, len(records))
        if answers is not None and not any(record.pieces.get("answer") for record in records):
            for position, answer in answers.items():
                records[position].add("answer", answer)
            return before, records
        if len(records) > 1 and not records[-1].pieces.get("answer"):
            return before, records  # a key that fits the questions in no way is nobody's answer
    return body, records_of_lines(body)


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
    if listed and not record.pieces.get("answer") and record.answer_index is None:
        listed, record.answer_index = without_marks(listed)
    problem = _problem(record, question, listed)
    if problem:
        return Rejected(CUT_OFF if record.cut_off or _BROKEN_TAG.search(raw) else problem, raw)
    verdict = _key(record, listed)
    if isinstance(verdict, str):
        return Rejected(verdict, raw)
    return ParsedQuestion(question, list(listed.choices), verdict, _type(record))


def _question_and_choices(record: Record) -> tuple[str, ChoiceList | None]:
    """The question's text and its choices, which may stand within it."""
    pieces = record.pieces.get("choices", [])
    pieces = pieces[:1] if len(set(pieces)) == 1 else pieces  # a list that was written twice
    listed = record.listed or (split_choices("\n".join(pieces)) if pieces else None)
    within = find_marked(half_width(record.question))
    if listed is None:
        listed = within
        return strip_numbering(record.question[: within.start] if within else record.question), listed
    if within and within.choices == listed.choices:  # written twice
        return strip_numbering(record.question[: within.start]), listed
    return strip_numbering(record.question), listed


def _problem(record: Record, question: str, listed: ChoiceList | None) -> str | None:
    if not question.strip():
        return NO_QUESTION
    if record.cut_off:
        return CUT_OFF
    if listed is None or not listed.choices:
        return NO_CHOICES
    if not all(listed.choices):
        return EMPTY_CHOICE
    if len({plain(choice) for choice in listed.choices}) < len(listed.choices):
        return DUPLICATE_CHOICES
    if not FEWEST_CHOICES <= len(listed.choices) <= MOST_CHOICES:
        return TOO_FEW_CHOICES if len(listed.choices) < FEWEST_CHOICES else TOO_MANY_CHOICES
    return None if record.pieces.get("answer") or record.answer_index is not None else NO_ANSWER


def _key(record: Record, listed: ChoiceList) -> int | str:
    """The index of the choice that every answer names, or why there is none."""
    verdicts = {_key_of_one(answer, listed) for answer in record.pieces.get("answer", [])}
    if record.answer_index is not None:
        verdicts.add(record.answer_index if 0 <= record.answer_index < len(listed.choices) else NOT_A_CHOICE)
    return verdicts.pop() if len(verdicts) == 1 else SEVERAL_ANSWERS


def _key_of_one(answer: str, listed: ChoiceList) -> int | str:
    """The verdict on one answer, which goes by numbers where the choices do ("2", "(ii) Blue")."""
    marker = _MARKER.match(answer.strip()) if listed.style in (NUMBERED, IN_ROMAN) else None
    index = _index_of_marker(marker[1], listed) if marker else None
    if index is None:
        return judge_answer(answer, listed.choices)
    rest = answer.strip()[marker.end() :]
    verdict = judge_answer(rest or answer, listed.choices)
    if rest or isinstance(verdict, int):
        return verdict if not rest or verdict == index or not isinstance(verdict, int) else SEVERAL_ANSWERS
    return index


def _index_of_marker(marker: str, listed: ChoiceList) -> int | None:
    if listed.style == NUMBERED:
        index = int(marker) - 1 if marker.isdigit() else -1
    else:
        index = ROMAN.index(marker.upper()) if marker.upper() in ROMAN else -1
    return index if 0 <= index < len(listed.choices) else None


def _type(record: Record) -> str:
    """The type that the writer named, on one line; empty without one."""
    named = " ".join(record.pieces.get("type", [""])[0].replace("**", "").split())
    return named.strip(" .;:")
