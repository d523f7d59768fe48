"""The fields of one written question before they are judged, and collecting them from tagged text."""

from dataclasses import dataclass, field

from lgt_assets.synthesis.choice_lists import ChoiceList
from lgt_assets.synthesis.tags import Tag


@dataclass
class Record:
    """Pieces of one question as they stand in the text.

    Attributes:
        start: where the record begins in the text; it ends where the next one begins.
        question: text of the question.
        pieces: other fields (``choices``, ``answer``, ``type``) by name, each a list of texts.
        cut_off: the text ends within one of the fields that a question needs.
        listed: the choices where the text itself keeps them apart (JSON); they need no splitting then.
        answer_index: the key where it is given as an index.
        number: the number that the question bears in a list.
    """

    start: int
    question: str = ""
    pieces: dict[str, list[str]] = field(default_factory=dict)
    cut_off: bool = False
    listed: ChoiceList | None = None
    answer_index: int | None = None
    number: int | None = None

    def add(self, name: str, text: str) -> None:
        """Keep one more non-blank piece of the field ``name``."""
        if text.strip():
            self.pieces.setdefault(name, []).append(text)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def records_of_tags(text: str, tags: list[Tag]) -> list[Record]:
    """The records of a text with tags, in which any tag may be missing, doubled or unclosed.

    A question without its opening tag is the last line before its closing tag or its choices.
    """
    records = [Record(tags[0].start)]
    loose, loose_start = text[: tags[0].start], 0
    ends = [tag.start for tag in tags[1:]] + [len(text)]
    for position, (tag, end) in enumerate(zip(tags, ends, strict=True)):
        name = "choices" if tag.name == "options" else tag.name
        segment, last = text[tag.end : end], position == len(tags) - 1
        needs_question = (name == "choices" and not tag.closes) or (name == "question" and tag.closes)
        if needs_question and _last_line(loose) and (not records[-1].question or records[-1].pieces):
            if records[-1].question:
                records.append(Record(loose_start))
            records[-1].question = _last_line(loose)
        if tag.closes:
            if name in ("question", "choices") and not last:
                _keep_untagged(records[-1], name, segment, tags[position + 1])
            loose, loose_start = segment, tag.end
            continue
        closed = not last and tags[position + 1].closes and tags[position + 1].name == tag.name
        if name == "type" and records[-1].question and records[-1].pieces.get("type"):
            records.append(Record(tag.start))  # types stand before their questions
        if name == "question":
            if segment.strip():
                if records[-1].question:
                    records.append(Record(tag.start))
                records[-1].question = segment
        else:
            records[-1].add(name, segment if closed or name == "choices" else _first_line(segment))
        repeated = (
            position > 0 and not segment.strip() and tags[position - 1].name == tag.name
        )  # meant as a closing tag
        records[-1].cut_off = last and name != "type" and not repeated
        loose, loose_start = ("", end) if closed else (segment, tag.end)
        if not closed and name in ("question", "choices"):
            loose = ""
    return records


def _keep_untagged(record: Record, closed: str, segment: str, following: Tag) -> None:
    """Choices that stand untagged between question and answer."""
    if closed == "question" and following.name == "answer" and not following.closes:
        record.add("choices", segment)
