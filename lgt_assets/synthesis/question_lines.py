"""Collecting written questions from text without tags: labelled lines, numbered or bulleted lists, markdown."""

import re

from lgt_assets.synthesis.choice_lists import TABLE_ROW
from lgt_assets.synthesis.plain_text import half_width
from lgt_assets.synthesis.question_records import Record

_BULLET = re.compile(r"[ \t]*(?:[-*•·+–—▪◦●>✅✓✔☑➡→👉][\ufe0f]?[ \t]+){1,4}")
_INLINE_LABEL = re.compile(
    r"(?<![ \t\-*•·+–—▪◦●>✅✓✔☑➡→👉\ufe0f#|])(?<!correct)(?<!right)(?<!question)(?<!the)(?<!final)[ \t]+"
    r"(?=[*_(\[]{0,3}(?:(?:(?:the )?(?:correct|right|final) )?answer(?: key)?|ans|(?:question )?type"
    r"|choices|options|category|explanation)"
    r"[*_]{0,3}[ \t]?[:：]|A:[ \t]?[(\[]?[A-J][)\].]?[ \t]*(?:\n|\Z))",
    re.IGNORECASE,
)
_BOLD = re.compile(r"\*\*|__|`|\\(?=[().\[\]])")
_LINE_DECORATION = re.compile(r"^[ \t]*#{1,6}[ \t]+|^[ \t]*>[ \t]*")
_NUMBER = re.compile(
    r"[ \t]*(?:#?[(\[]?q?(\d{1,3})(?:[ \t]?[.):\]](?!\d)[.):]?|[ \t][-–—](?=[ \t]))|([①-⑳]))[ \t]*", re.IGNORECASE
)
_HEADING = re.compile(r"(?:(?:question|mcq|item)[ \t]{1,2}#?|q)(\d{1,3})", re.IGNORECASE)
_QUESTION, _CHOICES, _ANSWER, _TYPE, _OTHER = "question", "choices", "answer", "type", "other"
_LABELS = {
    _QUESTION: r"question|q|mcq|问题|题目",
    _CHOICES: r"(?:answer |multiple )?(?:choices|options)|选项",
    _TYPE: r"(?:question )?type|category|类型",
    _ANSWER: r"(?:the )?(?:(?:correct|right|final|best) )?(?:answer|option|choice)(?: key)?"
    r"|(?:correct|right)(?: one)?|ans|key|solution|(?:正确)?答案",
    _OTHER: r"explanations?|rationale|reason(?:ing)?|justification|notes?|hint|difficulty|evidence|distractors?|解析|解释",
}
_LABEL = re.compile(
    r"[(\[]?(?:" + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _LABELS.items())
    + r")(?:[ \t]{0,2}#?\d{0,3}(?:[ \t]?\((?P<kind>[A-Za-z][A-Za-z ,&/-]{2,60})\))?(?:[ \t]?[:：.)\]]|[ \t]+[-–—=→](?=[ \t]))"
    r"|(?:(?<=answer)|(?<=choice)|(?<=option))[ \t]+is\b[ \t]*:?|(?<=answer)[ \t]+(?=[(\[]?[A-J][)\].]?\Z))[ \t]*",
    re.IGNORECASE,
)  # fmt: skip
_KIND_AHEAD = re.compile(r"\[([A-Za-z][A-Za-z ,&/-]{2,60})\][ \t:]+(?=\S)")
_OPTION_WORD = re.compile(r"^(?:option|choice)[ \t]+(?=[(\[]?(?:[A-J]|\d{1,2})[)\]]?[ \t]?[).:\]-])", re.IGNORECASE)
_SHORT_ANSWER_LABEL = re.compile(r"A(?:ns)?[ \t]?\d{0,3}[ \t]?[:：][ \t]*")
_MARKED_CHOICE = re.compile(
    r"(?:[(\[](?:[A-Za-z]|\d{1,2}|[ivx]{1,4})[)\]]|(?:[A-Za-z]|[ivxIVX]{1,4})[ \t]?(?:[).:、]|[ \t][-–—](?=[ \t])))[ \t]*\S"
)
_FIRST_CHOICE = re.compile(r"[\s*_>+•-]{0,8}[(\[]?[Aa](?:[)\]]|[.:、](?=[ \t]))[*_]{0,2}[ \t]*\S")
_THIRD_CHOICE = re.compile(r"[(\[][Cc3][)\]]|(?<!\w)[Cc3][).:](?=[ \t])")
_SAYS_RIGHT = re.compile(
    r"\\boxed\{|\b(?:answer|option|choice) is\b|^[(\[]?[A-J][)\].]? is (?:the )?(?:correct|right)\b", re.IGNORECASE
)
_TALK = re.compile(
    r"\b(?:would you (?:like|prefer)|do you (?:want|need|have)|let me know|shall i|should i|can i (?:help|do)|want me to|"
    r"(?:need|want|like) (?:any |some |me to )?(?:more|help|anything)|anything else|is (?:this|that) (?:ok|okay|fine|helpful))\b",
    re.IGNORECASE,
)
_LONE_LETTER = re.compile(r"[(\[]?[A-J][)\].]?")


def strip_numbering(question: str) -> str:
    """``question`` on one line without bold marks, bullet, number or a "Question 1:" label before it."""
    line = " ".join(_LINE_DECORATION.sub("", _BOLD.sub("", question)).split())
    line = _BULLET.sub("", line, count=1) if _BULLET.match(line) else line
    number = _NUMBER.match(half_width(line))
    line = line[number.end() :] if number else line
    label = _LABEL.match(half_width(line))
    line = line[label.end() :] if label and label[_QUESTION] else line
    return line[1:-1] if len(line) > 2 and line[0] == line[-1] == '"' and '"' not in line[1:-1] else line


def records_of_lines(text: str) -> list[Record]:
    """The records of a text without tags; a line that belongs to no field is passed over."""
    collector = _Collector()
    lines, position = [], 0
    for raw_line in _INLINE_LABEL.sub("\n", text).split("\n"):
        line = TABLE_ROW.sub(r"\1. \2", _LINE_DECORATION.sub("", _BOLD.sub("", half_width(raw_line))).strip())
        line = _OPTION_WORD.sub("", line if _BULLET.match(line) else line.strip("*_ "), count=1)
        if line:
            lines.append((position, line))
        position += len(raw_line) + 1
    for (start, line), (_, following) in zip(lines, [*lines[1:], (0, "")], strict=False):
        collector.place(start, line, bool(_FIRST_CHOICE.match(following)))
    return _without_talk(collector.records)


def _without_talk(records: list[Record]) -> list[Record]:
    """Records without the questions that a model asks its reader ("Would you like more?")."""
    numbered = any(record.number for record in records)
    return [
        record for position, record in enumerate(records)
        if record.pieces or not (_TALK.search(record.question) or (position == 0 and numbered and not record.number))
    ]  # fmt: skip


class _Collector:
    """Puts lines where they belong; ``current`` is the field that an unlabelled next line continues."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.current = ""
        self.type_ahead: str | None = None  # the type named last, where types stand before their questions

    def place(self, start: int, line: str, before_choices: bool) -> None:
        """Put one line; ``before_choices``: the next one is marked as a first choice."""
        bullet = _BULLET.match(line)
        bare = line[bullet.end() :].strip("*_ ") if bullet else line
        number = _NUMBER.match(bare)
        unnumbered = bare[number.end() :] if number else bare
        value = (int(number[1]) if number[1] else ord(number[2]) - ord("①") + 1) if number else None
        heading = _HEADING.fullmatch(unnumbered.rstrip(" :."))
        if heading:
            return self._begin(start, "", value or int(heading[1]))
        if self._is_bare_answer(bare):
            return self._add(_ANSWER, bare)
        if self._is_short_answer(bare):
            return self._add(_ANSWER, _SHORT_ANSWER_LABEL.sub("", bare, count=1))
        is_choice = bool(_MARKED_CHOICE.match(bare))
        label = None if is_choice else _LABEL.match(unnumbered)
        if label:
            return self._place_labelled(start, label, unnumbered, value)
        if self._starts_question(unnumbered, is_choice, value, before_choices):
            return self._begin(start, unnumbered, value)
        return self._continue(bare, is_choice or bool(bullet) or bool(number), unnumbered)

    def _begin(self, start: int, question: str, number: int | None) -> None:
        kind = _KIND_AHEAD.match(question)
        self.records.append(Record(start, question[kind.end() :] if kind else question, number=number))
        self._add_kind(kind[1] if kind else None)
        if self.type_ahead:
            self.records[-1].add(_TYPE, self.type_ahead)
            self.type_ahead = ""
        self.current = _QUESTION

    def _add_kind(self, kind: str | None) -> None:
        """Keep a type that stands within the heading ("Question 1 (Recognition):")."""
        if kind:
            self.records[-1].add(_TYPE, kind)

    def _add(self, name: str, text: str) -> None:
        self.records[-1].add(name, text)
        self.current = name

    def _has(self, name: str) -> bool:
        return bool(self.records) and name in self.records[-1].pieces

    def _is_short_answer(self, line: str) -> bool:
        """Whether ``line`` is "A: B" after a question's choices ("A1: B"), not the first of its choices."""
        if not self.records or self._has(_ANSWER) or not _SHORT_ANSWER_LABEL.match(line):
            return False
        return self._has_choices()

    def _has_choices(self) -> bool:
        """Whether the last record has three choices or more, on lines of their own or on one."""
        choices = self.records[-1].pieces.get(_CHOICES, [])
        return len(choices) > 2 or any(_THIRD_CHOICE.search(text) for text in (*choices, self.records[-1].question))

    def _is_bare_answer(self, line: str) -> bool:
        """Whether ``line``, after all choices, says which is right without a label: "B", "B is correct.", a choice again."""
        if not self.records or self._has(_ANSWER) or not self._has_choices():
            return False
        choices = self.records[-1].pieces.get(_CHOICES, [])
        lone = _LONE_LETTER.fullmatch(line) and not (choices and _LONE_LETTER.fullmatch(choices[0]))
        return bool(lone or line in choices or _SAYS_RIGHT.search(line))

    def _place_labelled(self, start: int, label: re.Match, line: str, number: int | None) -> None:
        name, rest = next(name for name in _LABELS if label[name]), line[label.end() :].strip()
        if label[0][0] in "([" and label[0].rstrip()[-1] not in ")]":
            rest = rest.rstrip(")]") if rest[:1] not in "([" else rest.removesuffix("]").removesuffix(")")
        self.current = name
        if name == _QUESTION:
            digits = "".join(filter(str.isdecimal, label[0]))
            self._begin(start, rest, number or (int(digits) if digits else None))
            self._add_kind(label["kind"])
        elif name == _TYPE and (not self.records or self.type_ahead is not None):
            self.type_ahead = rest
        elif self.records and name != _OTHER:
            self._add(name, rest)

    def _starts_question(self, line: str, is_choice: bool, number: int | None, before_choices: bool) -> bool:
        awaited = bool(self.records) and self.current == _QUESTION and not self.records[-1].question
        if awaited or (is_choice and "?" not in line):
            return False
        if "?" in line and not (is_choice and self.current == _CHOICES):
            return True
        if before_choices and (not self.records or self._has(_CHOICES)):
            return True  # "Name the color." before "A) …"
        last = self.records[-1].number if self._has(_ANSWER) else None
        return number is not None and last is not None and number == last + 1

    def _continue(self, bare: str, is_item: bool, unnumbered: str) -> None:
        if not self.records:
            return
        record, current = self.records[-1], self.current
        if not record.question:
            record.question, self.current = unnumbered, _QUESTION
            return
        if current in (_CHOICES, _ANSWER, _TYPE) and not record.pieces.get(current):
            return self._add(current, bare)
        if not self._has(_ANSWER) and (is_item or current == _CHOICES):
            self._add(_CHOICES, bare)
