"""Collecting written questions from a markdown table with a column of questions."""

import re

from lgt_assets.synthesis.question_records import Record

_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-{2,}[ \t:|-]*\Z")
_LETTER = re.compile(r"(?:option|choice)?[ \t]*[(]?([A-Ja-j])[)]?")


def records_of_table(text: str) -> list[Record]:
    """A record for each row under a header with the column "Question"; none without such a table."""
    records: list[Record] = []
    header: list[str] = []
    position = 0
    for line in text.split("\n"):
        start, position = position, position + len(line) + 1
        if line.count("|") < 2:
            header = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if "question" in [cell.lower().strip("*_ ") for cell in cells]:
            header = [cell.lower().strip("*_ ") for cell in cells]
        elif header and not _RULE.fullmatch(line.strip()):
            records.append(_record(start, dict(zip(header, cells, strict=False)), len(cells) == len(header)))
    return records


def _record(start: int, row: dict[str, str], whole: bool) -> Record:
    record = Record(start, row.get("question", ""), cut_off=not whole)
    for column, cell in row.items():
        letter = _LETTER.fullmatch(column)
        if letter:
            record.add("choices", f"({letter[1].upper()}) {cell}")
        elif column in ("choices", "options", "answer choices"):
            record.add("choices", cell.replace("<br>", "\n").replace("<br/>", "\n"))
        elif column in ("answer", "correct answer", "correct", "key"):
            record.add("answer", cell)
        elif column in ("type", "question type", "category"):
            record.add("type", cell)
    return record
