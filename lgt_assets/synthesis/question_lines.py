"""Collecting written questions from text without tags: labelled lines, numbered or bulleted lists, markdown."""

import re

from lgt_assets.synthesis.plain_text import half_width
from lgt_assets.synthesis.question_records import Record

_INLINE_LABEL = re.compile(
    r"(?<![ \t])(?<!correct)(?<!right)(?<!question)[ \t]+"
    r"(?=[*_]{0,3}(?:(?:correct |right )?answer|(?:question )?type|choices|options|category)[*_]{0,3}[ \t]?[:：])",
    re.IGNORECASE,
)
_DECORATION = re.compile(r"\*\*|__|`|^[ \t]*#{1,6}[ \t]+|^[ \t]*>[ \t]*")
_BULLET = re.compile(r"[ \t]*[-*•·+–][ \t]+")
_NUMBER = re.compile(r"[ \t]*#?\d{1,3}[ \t]?[.):][ \t]*")
_HEADING = re.compile(r"question[ \t]{1,2}#?\d{1,3}", re.IGNORECASE)
_LABEL = re.compile(
    r"(?P<label>question type|question|q|choices|options|(?:the )?(?:correct |right )?answer(?: key)?|key|type|category)"
    r"[ \t]{0,2}\d{0,3}[ \t]?[:.)][ \t]*",
    re.IGNORECASE,
)
_MARKED_CHOICE = re.compile(r"[(\[]?[A-Za-z][)\].:][ \t]*\S|[(\[]\d{1,2}[)\]][ \t]*\S")
_FIELD_BY_LABEL = {
    "question": "question", "q": "question", "choices": "choices", "options": "choices", "type": "type",
    "question type": "type", "category": "type",
}  # fmt: skip


def strip_numbering(question: str) -> str:
    """``question`` on one line without bold marks, bullet, number or a "Question 1:" label before it."""
    line = " ".join(_DECORATION.sub("", question).split())
    line = _BULLET.sub("", line, count=1) if _BULLET.match(line) else line
    number = _NUMBER.match(half_width(line))
    line = line[number.end() :] if number else line
    label = _LABEL.match(half_width(line))
    return line[label.end() :] if label and label["label"].lower() in ("question", "q") else line


def records_of_lines(text: str) -> list[Record]:
    """The records of a text without tags; a line that belongs to no field is passed over."""
    records: list[Record] = []
    current = ""
    position = 0
    for raw_line in _INLINE_LABEL.sub("\n", text).split("\n"):
        start, position = position, position + len(raw_line) + 1
        line = _DECORATION.sub("", half_width(raw_line)).strip()
        line = line if _BULLET.match(line) else line.strip("*_ ")
        if line:
            current = _place(records, current, line, start)
    return records


def _place(records: list[Record], current: str, line: str, start: int) -> str:
    """Put one line where it belongs; returns the field that an unlabelled next line continues."""
    bulleted = bool(_BULLET.match(line))
    bare = _BULLET.sub("", line, count=1).strip() if bulleted else line
    number = _NUMBER.match(bare)
    unnumbered = bare[number.end() :] if number else bare
    if _HEADING.fullmatch(unnumbered):
        records.append(Record(start))
        return "question"
    label = _LABEL.match(unnumbered)
    if label and not _MARKED_CHOICE.match(bare):
        name = _FIELD_BY_LABEL.get(label["label"].lower(), "answer")
        rest = unnumbered[label.end() :].strip()
        if name == "question":
            records.append(Record(start, rest))
        elif records:
            records[-1].add(name, rest)
        return name
    is_choice = bool(_MARKED_CHOICE.match(bare)) and "?" not in bare
    if "?" in unnumbered and not is_choice and not (records and current == "question" and not records[-1].question):
        records.append(Record(start, unnumbered))
        return "question"
    return _continue(records, current, bare, is_choice or bulleted or bool(number), unnumbered)


def _continue(records: list[Record], current: str, bare: str, is_item: bool, unnumbered: str) -> str:
    if not records:
        return current
    record = records[-1]
    if not record.question:
        record.question = unnumbered
        return "question"
    if current in ("choices", "answer", "type") and not record.pieces.get(current):
        record.add(current, bare)
        return current
    if (is_item or current == "choices") and "answer" not in record.pieces:
        record.add("choices", bare)
        return "choices"
    return current
