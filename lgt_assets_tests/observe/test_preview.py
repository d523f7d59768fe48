"""A preview shows rows with the boxes that they are about; what cannot be shown is said in words; it is never too large."""

import base64
import hashlib
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lgt_assets.identity import image_id
from lgt_assets.observe.preview import render_preview, stored_bytes
from lgt_assets.observe.shown_rows import ShownPicture, ShownRow
from lgt_assets.pictures import COLOURS
from lgt_assets_tests.made_tables import made_rows
from lgt_assets_tests.rows import SHARD, image_row, object_row, question_row
from lgt_assets_tests.sources.pictures import picture_bytes
from lgt_assets_tests.test_markdown import RENDERER
from lgt_assets_tests.test_pictures import is_near

PLENTY = 10**6
NOISE = Image.effect_noise((900, 700), 120).convert("RGB")


def image_at(path: Path, content: bytes) -> dict:
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return image_row(uri=str(path), sha256=sha256, image_id=image_id(SHARD, sha256), width=200, height=100)


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def pictures_in(text: str) -> list[Image.Image]:
    addresses = re.findall(r"!\[[\w ]+\]\((data:image/jpeg;base64,[\w+/=]+)\)", text)
    assert text.count("data:") == len(addresses)
    assert all(len(address) < 20_000 for address in addresses)
    return [Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB") for address in addresses]


def shown_question(image: dict, objects: list[dict], number: int = 0, **changes: object) -> ShownRow:
    boxes = tuple(range(1, len(objects) + 1))
    return ShownRow(question_row(image, objects, number, **changes), boxes, None)


def test_boxes_are_drawn_and_named(tmp_path: Path) -> None:
    image = image_at(tmp_path / "a.png", png(Image.new("RGB", (200, 100), "#808080")))
    objects = [
        object_row(image, 0, x0=20, y0=30, x1=80, y1=90),
        object_row(image, 1, x0=120, y0=30, x1=180, y1=90, phrase="a [cube]"),
    ]
    rows = [shown_question(image, objects, n) for n in range(2)]
    text = render_preview([ShownPicture(image["image_id"], image, objects, rows)], PLENTY)
    (picture,) = pictures_in(text)  # once for both rows
    assert is_near(picture.getpixel((20, 60)), COLOURS[0]) and is_near(picture.getpixel((80, 60)), COLOURS[0])
    assert is_near(picture.getpixel((120, 60)), COLOURS[1]) and is_near(picture.getpixel((150, 90)), COLOURS[1])
    assert is_near(picture.getpixel((100, 60)), "#808080")
    assert "boxes: 1 red ball; 2 a &#91;cube&#93;" in text
    assert "| boxes | 1, 2 | 1, 2 |" in text
    assert "&#40;A&#41; red ✓; &#40;B&#41; green;" in text


@pytest.mark.parametrize("harm", ["missing", "changed", "broken", "folder"])
def test_a_picture_that_cannot_be_shown_is_said_in_words(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "a.png"
    image = image_at(path, b"\x89PNG\r\n\x1a\n no more" if harm == "broken" else picture_bytes())
    if harm != "broken":
        path.unlink()
    if harm == "changed":
        path.write_bytes(picture_bytes(1))
    if harm == "folder":
        path.mkdir()
    text = render_preview([ShownPicture(image["image_id"], image, [], [shown_question(image, [])])], PLENTY)
    assert not pictures_in(text)
    assert "The picture cannot be shown:" in text
    assert "What colour is the ball?" in text


def test_a_picture_whose_row_is_not_there_is_said_in_words() -> None:
    image = image_row()
    text = render_preview([ShownPicture(image["image_id"], None, [], [shown_question(image, [])])], PLENTY)
    assert "The picture's row is not there." in text


def many(tmp_path: Path, text: str = "What?", pictures: int = 3, rows: int = 2) -> list[ShownPicture]:
    shown = []
    for place in range(pictures):
        image = image_at(tmp_path / f"{place}.png", png(NOISE.rotate(place)))
        objects = [object_row(image, 0, phrase=text)]
        own = [shown_question(image, objects, n, question=text, choices=[text + "a", text + "b"]) for n in range(rows)]
        shown.append(ShownPicture(image["image_id"], image, objects, own))
    return shown


def test_pictures_go_first_then_rows_and_it_is_said(tmp_path: Path) -> None:
    shown = many(tmp_path)
    whole = render_preview(shown, PLENTY)
    assert len(pictures_in(whole)) == 3 and "left out" not in whole
    fewer = render_preview(shown, stored_bytes(whole) - 1)
    assert len(pictures_in(fewer)) == 2
    assert fewer.endswith("*1 of 3 pictures left out: the preview is full.*")
    assert fewer.count("| q.") == 6
    without = render_preview(shown, 3_500)
    assert not pictures_in(without) and without.count("| q.") == 6
    assert without.endswith("*3 of 3 pictures left out: the preview is full.*")
    few = render_preview(shown, 1_500)
    assert 0 < few.count("| q.") < 6
    assert re.search(r"\*3 of 3 pictures and \d of 6 rows left out: the preview is full.\*$", few)
    assert render_preview(shown, 200) == "6 rows are too large to be shown here."


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "|" * 5_000, "\N{GRINNING FACE}" * 5_000, "\u202e" * 5_000, "<>&\"'" * 9_999]
)
@pytest.mark.parametrize("most", [1_000, 20_000, 110_000])
def test_no_text_makes_it_too_large(tmp_path: Path, text: str, most: int) -> None:
    assert stored_bytes(render_preview(many(tmp_path), most)) <= most
    assert stored_bytes(render_preview(many(tmp_path, text), most)) <= most


HOSTILE = st.text(st.sampled_from(list("[]()!|*_`~#\\<>&\"'\n\r:/.@ahtpsw$^\x1b\u202e")), max_size=30)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_what_models_wrote_stays_text(question: str, choice: str, phrase: str) -> None:
    image = image_row()
    objects = [object_row(image, 0, phrase=phrase)]
    row = shown_question(image, objects, question=question, choices=[choice, choice + "!"])
    page = RENDERER.render(render_preview([ShownPicture(image["image_id"], None, objects, [row])], PLENTY))
    assert set(re.findall(r"<(\w+)", page)) <= {"p", "strong", "em", "table", "thead", "tbody", "tr", "th", "td"}
    assert page.count("<th>") == 2
    assert page.count("<td>") == 2 * (page.count("<tr>") - 1) > 10


def test_messages_votes_and_lists_are_readable() -> None:
    tables = made_rows()
    row = tables["sft_mix"][0] | {
        "messages": [{"role": "user", "content": "Q" * 500}, {"role": "assistant", "content": "because"}]
    }
    text = render_preview([ShownPicture("i", None, [], [ShownRow(row, (), "Both?")])], PLENTY)
    assert "user: QQQ" in text and "assistant: because" in text
    trace = tables["expanded_traces"][0] | {"consistency": 1 / 3}
    text = render_preview([ShownPicture("i", None, [], [ShownRow(trace, (), "Both?")])], PLENTY)
    assert "| 0.3333 |" in text and "backtracking 1" in text.replace("&#95;", "_")
    assert "request" not in text
