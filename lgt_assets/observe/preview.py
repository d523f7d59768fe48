"""A few rows as markdown: each picture once, with the boxes that its rows are about, and the rows below it."""

import json
from collections.abc import Iterator

from lgt_assets.errors import SourceError
from lgt_assets.markdown import image_of, plain_text, table_of
from lgt_assets.observe.shown_rows import ShownPicture, ShownRow
from lgt_assets.pictures import Box, data_address, picture_of
from lgt_assets.synthesis.answers import LETTERS

LONGEST_SIDE = 224
PICTURE_BYTES = 9_000  # of JPEG, a third more as text: Dagit's plots load whole materializations, 120 at a time
CELL_CHARACTERS = 200
PHRASE_CHARACTERS = 60
SHOWN_BOXES = 12
HIDDEN_COLUMNS = frozenset(
    (
        "shard", "ordinal", "request_key", "sha256", "uri", "votes", "image_id", "images", "object_ids", "x0", "y0", "x1", "y1",
        "chosen_characters", "rejected_characters",
    )
)  # fmt: skip


def render_preview(pictures: list[ShownPicture], most_bytes: int) -> str:
    """Markdown with the pictures and their rows; text from models and sources is escaped.

    What does not fit is left out, and a line says so: first pictures, from the last on, then rows.

    Args:
        pictures: what to show.
        most_bytes: of the result as Dagster stores it, in JSON; at least 1,000.
    """
    drawn = {picture.image_id: _drawn(picture) for picture in pictures}
    rows = sum(len(picture.rows) for picture in pictures)
    for shown_pictures, shown_rows in _less_and_less(len(pictures), rows):
        text = _render(pictures, drawn, shown_pictures, shown_rows)
        if stored_bytes(text) <= most_bytes:
            return text
    return f"{rows} rows are too large to be shown here."


def stored_bytes(text: str) -> int:
    """What a text takes in Dagster's event log."""
    return len(json.dumps(text))


def _less_and_less(pictures: int, rows: int) -> Iterator[tuple[int, int]]:
    yield from ((number, rows) for number in range(pictures, 0, -1))
    yield from ((0, number) for number in range(rows, 0, -1))


def _render(pictures: list[ShownPicture], drawn: dict[str, str], shown_pictures: int, shown_rows: int) -> str:
    blocks, left = [], shown_rows
    for place, picture in enumerate(pictures):
        rows, left = picture.rows[:left], left - len(picture.rows[:left])
        if rows:
            blocks.append(_block(picture, drawn[picture.image_id] if place < shown_pictures else "", rows))
    total = sum(len(picture.rows) for picture in pictures)
    notes = [(shown_pictures, len(pictures), "pictures"), (shown_rows, total, "rows")]
    said = [f"{of - shown} of {of} {what}" for shown, of, what in notes if shown < of]
    if said:
        blocks.append(f"*{' and '.join(said)} left out: the preview is full.*")
    return "\n\n".join(blocks)


def _block(picture: ShownPicture, drawn: str, rows: list[ShownRow]) -> str:
    boxes = [f"{number} {_words(item['phrase'])}" for number, item in enumerate(picture.objects, start=1)]
    more = f"; and {len(boxes) - SHOWN_BOXES} more" if len(boxes) > SHOWN_BOXES else ""
    parts = [f"**picture** {plain_text(picture.image_id, CELL_CHARACTERS)}", drawn]
    if boxes:
        parts.append(f"boxes: {'; '.join(boxes[:SHOWN_BOXES])}{more}")
    parts.append(_table(rows, with_boxes=bool(boxes)))
    return "\n\n".join(part for part in parts if part)


def _drawn(picture: ShownPicture) -> str:
    """The picture with numbered boxes, or in words why there is none."""
    if picture.image is None:
        return "*The picture's row is not there.*"
    boxes = [
        Box(item["x0"], item["y0"], item["x1"], item["y1"], f"{number}") for number, item in enumerate(picture.objects, start=1)
    ]  # fmt: skip
    try:
        jpeg = picture_of(picture.image, boxes, longest_side=LONGEST_SIDE, most_bytes=PICTURE_BYTES)
    except SourceError as error:
        return f"*The picture cannot be shown:* {plain_text(error, CELL_CHARACTERS)}"
    return image_of(data_address(jpeg), "picture with boxes")


def _table(rows: list[ShownRow], *, with_boxes: bool) -> str:
    """A column for each row and a line for each field: texts are long, and Dagit's window is not wide."""
    names = [name for name in rows[0].row if name not in HIDDEN_COLUMNS]
    fields = {name: [cell(shown.row, name) for shown in rows] for name in names[:1]}
    if rows[0].question is not None:
        fields["question"] = [_words(shown.question, CELL_CHARACTERS) for shown in rows]
    if with_boxes:
        fields["boxes"] = [", ".join(map(str, shown.boxes[:SHOWN_BOXES])) for shown in rows]
    fields |= {name: [cell(shown.row, name) for shown in rows] for name in names[1:]}
    (first, heads), *others = fields.items()
    return table_of([first, *heads], [[name, *cells] for name, cells in others])


def cell(row: dict, name: str) -> str:
    """One value of a row as escaped markdown of at most some 200 shown characters; the right choice is marked."""
    value = row[name]
    if name in ("choices", "choices_shown") and value and len(value) <= len(LETTERS):
        right = row.get("answer_index" if name == "choices" else "right_index")
        value = [f"({LETTERS[place]}) {text}{' ✓' if place == right else ''}" for place, text in enumerate(value)]
    return _words(_readable(value), CELL_CHARACTERS)


def _readable(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        if value.keys() == {"role", "content"}:
            return f"{value['role']}: {_cut(value['content'], CELL_CHARACTERS // 2)}"
        return ", ".join(f"{name} {_readable(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "; ".join(_readable(item) for item in value[: len(LETTERS)])
    return str(value)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _words(text: object, characters: int = PHRASE_CHARACTERS) -> str:
    return plain_text("" if text is None else text, characters)
