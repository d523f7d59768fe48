"""Collecting written questions from JSON: one object, an array, one object a line; with slips that models make."""

import json
import re

from lgt_assets.synthesis.choice_lists import ChoiceList, choices_of_items, split_choices
from lgt_assets.synthesis.mentions import LETTERS
from lgt_assets.synthesis.question_records import Record

QUESTION_FIELD = re.compile(r"""["'](?:question|question_text|stem)["']\s{0,5}:""", re.IGNORECASE)
_CHOICES = ("choices", "options", "answer_choices", "answers", "candidates")
_ANSWERS = (
    "answer",
    "correct_answer",
    "correctanswer",
    "correct",
    "answer_key",
    "key",
    "correct_option",
    "correct_choice",
)
_INDICES = (
    "answer_index",
    "answerindex",
    "correct_index",
    "correct_answer_index",
    "answer_idx",
    "correct_option_index",
)
_TYPES = ("type", "question_type", "category")
_TEXTS = ("text", "choice", "option", "value", "content")
_LETTERED = re.compile(r"(?:option|choice)?[_ ]?([a-j])", re.IGNORECASE)
_COMMA_TOO_MANY = re.compile(r",(?=\s{0,40}[}\]])")
_SINGLE_QUOTED = re.compile(r"(?<=[{\[,:\s])'((?:[^'\n]|(?<=\w)'(?=\w)){0,2000})'(?=\s{0,40}[,:\]}])")
_LONGEST_OBJECT, _HIGHEST = 20_000, 3


def records_of_objects(text: str) -> list[Record]:
    """A record for every object with a question in it, in order; one that the text breaks off within is cut off."""
    records, covered, open_at = [], 0, []
    for position, opens in _braces(text):
        if opens:
            open_at.append([position, 0])
            continue
        if not open_at:
            continue
        start, height = open_at.pop()
        if open_at:
            open_at[-1][1] = max(open_at[-1][1], height + 1)
        if start >= covered and height <= _HIGHEST and position - start < _LONGEST_OBJECT:
            fields = _decoded(text[start : position + 1])
            if fields and "question" in fields:
                records.append(_record(start, fields))
                covered = position + 1
    begun = next((start for start, _ in open_at if start >= covered), None)
    if begun is not None and (QUESTION_FIELD.search(text, begun) or records):
        records.append(Record(begun, "", {"question": [text[begun:]]}, cut_off=True))
    return records


def _braces(text: str) -> list[tuple[int, bool]]:
    """Position of every brace outside double-quoted strings, and whether it opens."""
    found, quoted, position = [], False, 0
    for match in re.finditer(r'\\.|["{}\n]', text, re.DOTALL):
        character, position = match[0], match.start()
        if character in ('"', "\n"):  # a string ends with its line at the latest
            quoted = character == '"' and not quoted
        elif not quoted and len(character) == 1:
            found.append((position, character == "{"))
    return found


def _decoded(text: str) -> dict | None:
    """The object that ``text`` is, its keys in lower case; commas too many and single quotes are forgiven."""
    if not QUESTION_FIELD.search(text):
        return None
    mended = _COMMA_TOO_MANY.sub("", text)
    for attempt in (text, mended, _SINGLE_QUOTED.sub(lambda match: json.dumps(match[1]), mended)):
        try:
            fields = json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
        fields = {key.lower().replace(" ", "_"): value for key, value in fields.items()}
        question = next((fields[key] for key in ("question", "question_text", "stem") if key in fields), None)
        return fields | {"question": question} if isinstance(question, str) else None
    return None


def _record(start: int, fields: dict) -> Record:
    record = Record(start, fields["question"], listed=_choices(fields))
    for key in _INDICES:
        if isinstance(fields.get(key), int) and not isinstance(fields[key], bool):
            record.answer_index = fields[key]
    answers = next((fields[key] for key in _ANSWERS if fields.get(key) is not None), None)
    for answer in answers if isinstance(answers, list) else [answers]:
        _add_answer(record, answer)
    for key in _TYPES:
        if isinstance(fields.get(key), str):
            record.add("type", fields[key])
    return record


def _add_answer(record: Record, answer: object) -> None:
    if isinstance(answer, dict):
        answer = next((answer[key] for key in ("label", "letter", "key", *_TEXTS) if key in answer), None)
    if isinstance(answer, int) and not isinstance(answer, bool):
        said = str(answer)
        known = record.listed is not None and said in record.listed.choices
        if not known and record.answer_index is None:
            record.answer_index = answer
            return
        answer = said
    if isinstance(answer, str | float | bool):
        record.add("answer", str(answer))


def _choices(fields: dict) -> ChoiceList | None:
    value = next((fields[key] for key in _CHOICES if key in fields), None)
    if isinstance(value, str):
        return split_choices(value)
    if value is None:
        value = {match[1]: text for key, text in fields.items() if (match := _LETTERED.fullmatch(key))}
        if len(value) < 2:
            return None
    if isinstance(value, dict):
        keys = [str(key).strip().upper().rstrip(").") for key in value]
        items = list(value.values())
        if keys != list(LETTERS[: len(keys)]) and keys != [str(number + 1) for number in range(len(keys))]:
            return None
    else:
        items = value if isinstance(value, list) else [value]
    texts = [_text(item) for item in items]
    return None if None in texts else choices_of_items(texts)


def _text(item: object) -> str | None:
    if isinstance(item, dict):
        lettered = [text for key, text in item.items() if _LETTERED.fullmatch(key)]
        item = next(
            (item[key] for key in _TEXTS if key in item), lettered[0] if len(item) == len(lettered) == 1 else None
        )
    return str(item) if isinstance(item, str | int | float | bool) else None
