"""A few rows to look at: which ones, on which pictures, and the boxes of what they are about."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.validation import QUESTION_TABLES

PREVIEW_ROWS = 6
ROWS_PER_PICTURE = 3
# Rows of a table of the same shard whose key column has one of the values.
Find = Callable[[str, str, Collection[str]], Iterable[dict]]


@dataclass
class ShownPicture:
    """One picture with rows about it: ``image`` is its row (None: not found), ``objects`` are numbered from 1."""

    image_id: str
    image: dict | None
    objects: list[dict] = field(default_factory=list)
    rows: list["ShownRow"] = field(default_factory=list)


@dataclass(frozen=True)
class ShownRow:
    """A row, the numbers of its boxes on the picture, and the question it belongs to where it is not one itself."""

    row: dict
    boxes: tuple[int, ...]
    question: str | None


def choose_rows(rows: pl.DataFrame, count: int = PREVIEW_ROWS) -> pl.DataFrame:
    """Up to ``count`` rows that differ: of pictures spread evenly over ``rows``, some of each where there are several.

    Args:
        rows: of any table with ``image_id``.
        count: how many at most.
    """
    if rows.height <= count:
        return rows
    places = rows.select("image_id").with_row_index("place").group_by("image_id", maintain_order=True).agg("place")
    several = ROWS_PER_PICTURE if places["place"].list.len().max() > 1 else 1
    pictures = _spread(places["place"].to_list(), -(-count // several))
    chosen = [place for own in pictures for place in _spread(own, several)]
    left = sorted(set(range(rows.height)) - set(chosen))
    chosen += _spread(left, count - len(chosen))  # pictures with one row, or too few of them
    return rows[sorted(chosen[:count])]


def _spread(items: list, count: int) -> list:
    """Up to ``count`` of the items, evenly spaced, in their order."""
    if len(items) <= count:
        return items
    return [items[place * len(items) // count] for place in range(count)]


def shown_pictures(table: str, rows: pl.DataFrame, find: Find) -> list[ShownPicture]:
    """The chosen ``rows`` of ``table`` by picture, with the objects that they are about.

    Rows that name objects are about these; others about those of their question, if they have one.
    """
    chosen = rows.to_dicts()
    questions = {} if table in QUESTION_TABLES else _questions(chosen, find)
    about = [_object_ids(row, questions) for row in chosen]
    wanted = {object_id for ids in about for object_id in ids}
    objects = _by(
        "object_id", chosen if table == "grounded_objects" else _found(find, "grounded_objects", "object_id", wanted)
    )
    images = _by(
        "image_id", chosen if table == "images" else _found(find, "images", "image_id", {r["image_id"] for r in chosen})
    )
    pictures: dict[str, ShownPicture] = {}
    for row, ids in zip(chosen, about, strict=True):
        image_id = row["image_id"]
        picture = pictures.setdefault(image_id, ShownPicture(image_id, images.get(image_id)))
        own = [objects[object_id] for object_id in ids if object_id in objects]
        picture.objects += [item for item in own if item not in picture.objects]
        question = questions.get(row.get("question_id", ""))
        numbers = tuple(picture.objects.index(item) + 1 for item in own)
        picture.rows.append(ShownRow(row, numbers, question["question"] if question else None))
    return list(pictures.values())


def _questions(rows: list[dict], find: Find) -> dict[str, dict]:
    wanted = {row["question_id"] for row in rows if "question_id" in row}
    return _by("question_id", (row for table in QUESTION_TABLES for row in _found(find, table, "question_id", wanted)))


def _object_ids(row: dict, questions: dict[str, dict]) -> list[str]:
    if "object_ids" in row:
        return row["object_ids"]
    if "object_id" in row:
        return [row["object_id"]]
    return questions.get(row.get("question_id", ""), {}).get("object_ids", [])


def _found(find: Find, table: str, key: str, values: Collection[str]) -> Iterable[dict]:
    return find(table, key, values) if values else ()


def _by(key: str, rows: Iterable[dict]) -> dict[str, dict]:
    return {row[key]: row for row in rows}
