"""Credits: counted for the card, and one line a picture in a file."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.identity import digest
from lgt_assets.release.picture_sources import MOST_ATTRIBUTIONS, attribution_lines, source_facts
from lgt_assets.schemas import frame
from lgt_assets_tests.rows import image_row, object_row

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


def lines_of(rows: list[dict]) -> list[list[str]]:
    return [line.rstrip("\n").split("\t") for line in attribution_lines(frame("images", rows).lazy())]


def test_every_picture_has_a_line_ordered_by_its_hash() -> None:
    rows = [image_row(n, license="CC BY 4.0", attribution=f"Person {n}") for n in range(40)]
    head, *lines = lines_of(rows)
    assert head == ["sha256", "source", "external_id", "license", "attribution"]
    assert [line[0] for line in lines] == sorted(row["sha256"] for row in rows)
    assert {line[4] for line in lines} == {f"Person {n}" for n in range(40)}
    assert lines_of(rows[::-1]) == [head, *lines]


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS)
def test_no_text_of_a_source_makes_a_cell_or_a_line(licence: str, credit: str) -> None:
    _, *lines = lines_of([image_row(license=licence, attribution=credit)])
    assert [len(line) for line in lines] == [5]
    assert all(char.isprintable() for cell in lines[0] for char in cell)


def test_a_card_lists_no_more_credits_than_a_person_reads() -> None:
    rows = [image_row(n, attribution=f"Person {n:03}") for n in range(MOST_ATTRIBUTIONS + 5)]
    found = source_facts(frame("images", rows).lazy(), frame("grounded_objects", [object_row(rows[0])]).lazy())
    assert len(found["attributions"]) == MOST_ATTRIBUTIONS and found["attributions_in_all"] == MOST_ATTRIBUTIONS + 5
    assert found["boxes"] == [{"box_source": "human", "boxes": 1, "generated": 0}]
    assert found["sources"] == [{"source": "made", "license": "CC0", "pictures": len(rows)}]


def test_what_was_generated_is_counted_by_model_and_without_the_place_where_that_lay() -> None:
    key, model = digest("completion"), "/home/somebody/Vision-7B@abc"
    generated = [image_row(n, caption_source=model, request_key=key) for n in range(2)]
    rows = [*generated, image_row(2), image_row(3, caption_source="/given/by a manifest")]
    boxes = [object_row(rows[0], n, box_source="dino@1", request_key=key if n else None) for n in range(3)]
    found = source_facts(frame("images", rows).lazy(), frame("grounded_objects", boxes).lazy())
    assert sorted((row["caption_source"], row["pictures"], row["generated"]) for row in found["captions"]) == [
        ("/given/by a manifest", 1, 0), ("Vision-7B@abc", 2, 2), ("human", 1, 0),
    ]  # fmt: skip
    assert found["boxes"] == [{"box_source": "dino@1", "boxes": 3, "generated": 2}]
