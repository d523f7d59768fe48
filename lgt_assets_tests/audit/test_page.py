"""The page shows all that a judgment takes, in one file, and text from models stays text."""

import re
from html.parser import HTMLParser

import pytest

from lgt_assets.audit.items import read_items
from lgt_assets.audit.page import render_page
from lgt_assets.audit.sample import sample_ids
from lgt_assets.audit_vocabulary import AUDITED_TABLES, ERROR_KINDS
from lgt_assets.errors import SourceError
from lgt_assets.schemas import frame
from lgt_assets_tests.made_tables import made_id
from lgt_assets_tests.rows import SHARD

ATTACK = "</script><script>window.hacked = 1</script><img src=x onerror=alert(1)>\" autofocus onfocus='alert(1)'"


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of script and style."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        self.text += "" if self._hidden else data

    def of(self, name: str) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag == name]


def page_of(store, table: str, count: int = 10) -> Page:
    ids, population = sample_ids(store, table, count, 0)
    return Page(render_page(read_items(store, table, ids), table=table, seed=0, population=population))


def plant(store, table: str, **changes: object) -> None:
    rows = [row | changes for row in store.read(table).to_dicts()]
    store.replace(table, frame(table, rows), shard=SHARD)


WORDS = {
    "seed_questions": ["Question 0?", "Question 1?", "(A) red ✓", "Recognition"],
    "composed_questions": ["Both?", "(A) red ✓", "Composed of (bridge)", "Question 1?"],
    "distilled_cots": ["Both?", "(A) red ✓", "Thought", "I look.", "(A)"],
    "expanded_traces": ["Both?", "(A) red ✓", "I look. Wait,", "Added by the reasoner", " yes."],
    "preference_pairs": ["Both?", "(A) red ✓", "Chosen (right_over_wrong)", "Rejected"],
}


@pytest.mark.parametrize("table", AUDITED_TABLES)
def test_every_table_shows_picture_boxes_question_choices_and_texts(store, table):
    page = page_of(store, table)
    assert len(page.of("article")) == store.read(table).height == len(page.of("img"))
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.of("img"))
    (box, *_), (drawing, *_) = page.of("rect"), page.of("svg")
    assert drawing["viewbox"] == "0 0 100 80"
    assert (box["x"], box["y"], box["width"], box["height"], box["class"]) == ("1.0", "2.0", "29.0", "38.0", "focus")
    for words in WORDS[table]:
        assert words in page.text, words
    kinds = {button["data-kind"] for button in page.of("button") if "data-kind" in button}
    assert kinds == set(ERROR_KINDS)
    assert {button["data-verdict"] for button in page.of("button") if "data-verdict" in button} == {"right", "wrong"}


def test_choices_stand_in_the_order_that_the_trace_saw(store):
    plant(store, "distilled_cots", choices_shown=["blue", "red", "green", "black"], right_index=1)
    assert "(B) red ✓" in page_of(store, "expanded_traces").text


def test_the_page_needs_no_other_file_and_no_network(store):
    page = page_of(store, "expanded_traces")
    for tag, attributes in page.tags:
        assert not attributes.get("src", "data:").startswith(("http", "//", "/", "file")), tag
        assert "href" not in attributes and "srcset" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
    (policy,) = [meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert re.fullmatch(r"default-src 'none'; img-src data:; script-src 'sha256-\S+'; style-src 'sha256-\S+'", policy)


def test_text_from_models_stays_text(store):
    clean = page_of(store, "expanded_traces")
    plant(store, "expanded_traces", thought=ATTACK, added_thought=ATTACK, answer=ATTACK)
    plant(store, "composed_questions", question=ATTACK, choices=[ATTACK, "a", "b", "c"], question_type=ATTACK)
    plant(store, "distilled_cots", choices_shown=[ATTACK, "a", "b", "c"])
    plant(store, "grounded_objects", phrase=ATTACK)
    hostile = page_of(store, "expanded_traces")
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in clean.tags]
    assert ATTACK in hostile.text


def test_a_picture_that_is_gone_is_named(store, tmp_path):
    (tmp_path / "ball.png").unlink()
    with pytest.raises(SourceError, match=re.escape(store.read("images")["image_id"][0])):
        page_of(store, "seed_questions")


def test_items_come_in_the_order_asked_for(store):
    ids = [made_id("distilled_cots", number) for number in (1, 0)]
    assert [item.row_id for item in read_items(store, "distilled_cots", ids)] == ids
