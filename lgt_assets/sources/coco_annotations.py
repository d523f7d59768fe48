"""COCO's JSON files as a database in a temporary file: they list annotations in any order, and one has 450 MB.

Only what is needed is taken: pictures, boxes with their categories, captions, licences. Segmentations are passed over, polygons
and run lengths (RLE) alike, since every annotation of an instance has its box.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.errors import SourceError

_TABLES = """
pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -16384;
create table pictures (number integer primary key, id, name, width, height, license, raw text);
create table boxes (number integer primary key, picture, category, bbox text, crowd integer, raw text);
create table captions (number integer primary key, picture, id, text);
create table categories (id primary key, name);
create table licenses (id primary key, name, url);
"""
_INDICES = "create index boxes_of on boxes (picture); create index captions_of on captions (picture);"


@dataclass(frozen=True)
class CocoPicture:
    """An entry of ``images``: its place in the list from 1, and its fields as they are written, of any type."""

    number: int
    id: object
    file_name: object
    width: object
    height: object
    license: object
    raw: str


@dataclass(frozen=True)
class CocoBox:
    """An entry of ``annotations`` with a category: its place in the list from 1, ``bbox``, and whether it marks a crowd."""

    number: int
    category: object
    bbox: object
    is_crowd: bool
    raw: str


class CocoAnnotations:
    """Annotations by picture. Memory stays the same whatever the files' sizes."""

    def __init__(self, database: Path, instances: Path | None, captions: Path | None) -> None:
        """Read the files into ``database``; at least one must be given.

        Raises:
            SourceError: a file is not there, or is no JSON of COCO's layout.
        """
        self._connection = sqlite3.connect(database)
        self._connection.executescript(_TABLES)
        for path in (instances, captions):
            if path is not None and not self._has("pictures"):
                self._fill("pictures", path, "images", _picture_values)
                self._fill(
                    "licenses", path, "licenses", lambda _n, row: (_key(row.get("id")), *_texts(row, "name", "url"))
                )
                if not self._has("pictures"):
                    raise SourceError(f"{path} lists no images; it should be a JSON file of COCO's layout")
        if instances is not None:
            self._fill(
                "categories", instances, "categories", lambda _n, row: (_key(row.get("id")), *_texts(row, "name"))
            )
            self._fill("boxes", instances, "annotations", _box_values)
        if captions is not None:
            self._fill(
                "captions", captions, "annotations",
                lambda n, row: (n, _key(row.get("image_id")), _key(row.get("id")), *_texts(row, "caption")),
            )  # fmt: skip
        self._connection.executescript(_INDICES)

    def close(self) -> None:
        """Close the database; whoever made its folder deletes it."""
        self._connection.close()

    def count(self) -> int:
        """Pictures."""
        return self._connection.execute("select count(*) from pictures").fetchone()[0]

    def pictures(self) -> Iterator[CocoPicture]:
        """Pictures in the order of the file."""
        for number, *fields, raw in self._connection.execute("select * from pictures order by number"):
            yield CocoPicture(number, *map(json.loads, fields), raw)

    def boxes(self, picture: object) -> list[CocoBox]:
        """Annotations of the picture with this id, in the order of the file."""
        found = self._connection.execute(
            "select number, category, bbox, crowd, raw from boxes where picture = ? order by number", (_key(picture),)
        )
        return [
            CocoBox(number, json.loads(category), json.loads(bbox), bool(crowd), raw)
            for number, category, bbox, crowd, raw in found
        ]

    def captions(self, picture: object) -> list[str | None]:
        """Captions of the picture with this id, by their own ids; None for one that is no text."""
        found = self._connection.execute(
            "select text from captions where picture = ? order by cast(id as integer), number", (_key(picture),)
        )
        return [text for (text,) in found]

    def category(self, id_: object) -> str | None:
        """A category's name; None where the file names none."""
        return self._name("categories", id_)

    def license(self, id_: object) -> str | None:
        """A licence's name; None where the file names none."""
        return self._name("licenses", id_)

    def _name(self, table: str, id_: object) -> str | None:
        found = self._connection.execute(f"select name from {table} where id = ?", (_key(id_),)).fetchone()
        return found[0] if found else None

    def _has(self, table: str) -> bool:
        return self._connection.execute(f"select 1 from {table} limit 1").fetchone() is not None

    def _fill(self, table: str, path: Path, part: str, values_of: Callable[[int, dict], Iterable]) -> None:
        width = len(self._connection.execute(f"pragma table_info({table})").fetchall())
        statement = f"insert or ignore into {table} values ({', '.join('?' * width)})"
        rows = (values_of(number, row) for number, row in enumerate(_entries(path, part), start=1))
        self._connection.executemany(statement, rows)
        self._connection.commit()


def _entries(path: Path, part: str) -> Iterator[dict]:
    """Objects of the list ``part``, one at a time; what is no object is passed over as an empty one."""
    import ijson

    try:
        with path.open("rb") as file:
            for entry in ijson.items(file, f"{part}.item", use_float=True):
                yield entry if isinstance(entry, dict) else {}
    except FileNotFoundError:
        raise SourceError(f"there is no {path}; see --option instances, captions and images") from None
    except (ijson.JSONError, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} is not whole JSON ({error}); download it again") from error


def _picture_values(number: int, row: dict) -> tuple:
    fields = ("id", "file_name", "width", "height", "license")
    return number, *(_text(row.get(name)) for name in fields), _text({name: row.get(name) for name in fields})


def _box_values(number: int, row: dict) -> tuple:
    said = {name: row.get(name) for name in ("id", "image_id", "category_id", "bbox", "iscrowd")}
    crowd = row.get("iscrowd") not in (None, 0, False)
    return number, _key(row.get("image_id")), _text(row.get("category_id")), _text(row.get("bbox")), crowd, _text(said)


def _key(value: object) -> str:
    """Ids are compared as JSON: 1 is not "1"."""
    return _text(value)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _texts(row: dict, *names: str) -> Iterable[str | None]:
    return [row[name] if isinstance(row.get(name), str) else None for name in names]
