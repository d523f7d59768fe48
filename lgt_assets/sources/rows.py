"""A shard as rows of the tables ``images``, ``grounded_objects`` and ``rejections``."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from lgt_assets.identity import image_id, row_id, split_of
from lgt_assets.sources.inspection import inspect
from lgt_assets.sources.records import Picture, SourceProblem
from lgt_assets.sources.shard_files import read_shard, source_of
from lgt_assets.sources.upright import upright_box, upright_size


class ShardRows(NamedTuple):
    """Rows as dictionaries with exactly their tables' columns, in the order of the source; ``caption`` is None for none."""

    images: list[dict]
    grounded_objects: list[dict]
    rejections: list[dict]


def shard_rows(state: Path, shard: str) -> ShardRows:
    """The rows that a shard gives now. Every picture's file is read once more.

    A picture whose file has vanished or changed since the source was added becomes a rejection of ``images`` (reason
    ``missing_file`` or ``changed_file``), and so does one that was registered unopened and is not what its row declares
    (``changed_file``, ``wrong_size``, ``unreadable_image``, …); its boxes stay away with it, so no object is without its picture.

    Raises:
        NotFoundError: there is no such shard.
        SourceError: the shard's file was damaged.
    """
    content = read_shard(state, shard)
    problems = list(content.problems)
    images: list[dict] = []
    objects: list[dict] = []
    for picture in content.pictures:
        # What was registered unopened is decoded now.
        known = {picture.sha256: (picture.width, picture.height)} if picture.inspected else {}
        looked_at = inspect(picture.record, known)
        if isinstance(looked_at, SourceProblem):
            problems.append(looked_at)
            continue
        images.append(_image(shard, len(images), looked_at))
        objects += _objects(shard, len(objects), looked_at)
    return ShardRows(images, objects, _rejections(shard, problems))


def member_rows(state: Path, shard: str) -> list[dict]:
    """Rows of the table ``shard_members``: which pictures a shard was cut with, whatever became of their files since.

    Raises:
        NotFoundError: there is no such shard.
        SourceError: the shard's file was damaged.
    """
    return [
        {"shard": shard, "image_id": image_id(shard, picture.sha256), "sha256": picture.sha256, "removed": False}
        for picture in read_shard(state, shard).pictures
    ]


def _image(shard: str, ordinal: int, picture: Picture) -> dict:
    record = picture.record
    width, height = upright_size(picture.width, picture.height, picture.orientation)
    return {
        "shard": shard,
        "ordinal": ordinal,
        "image_id": image_id(shard, picture.sha256),
        "source": source_of(shard),
        "uri": str(record.path),
        "sha256": picture.sha256,
        "external_id": record.external_id,
        "width": width,
        "height": height,
        "caption": record.caption,
        "caption_source": record.caption_source,
        "request_key": None,
        "license": record.license,
        "attribution": record.attribution,
        "split": split_of(picture.sha256),
    }


def _objects(shard: str, first_ordinal: int, picture: Picture) -> list[dict]:
    image = image_id(shard, picture.sha256)
    seen: Counter = Counter()
    rows = []
    for ordinal, given in enumerate(picture.record.boxes, start=first_ordinal):
        turn = 1 if picture.record.boxes_upright else picture.orientation
        box = upright_box(given, picture.width, picture.height, turn)
        # A source may list one box twice; the count keeps their ids apart.
        key = (box.label, box.phrase, box.x0, box.y0, box.x1, box.y1)
        object_id = row_id("grounded_objects", shard, image, *key, seen[key])
        seen[key] += 1
        edges = {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1}
        rows.append(
            {"shard": shard, "ordinal": ordinal, "object_id": object_id, "image_id": image, "label": box.label}
            | {
                "phrase": box.phrase,
                **edges,
                "score": box.score,
                "box_source": picture.record.box_source,
                "request_key": None,
            }
        )
    return rows


def _rejections(shard: str, problems: list[SourceProblem]) -> list[dict]:
    seen: Counter = Counter()
    rows = []
    for ordinal, problem in enumerate(problems):
        # Where the file lies is left out of the id: the same rows in another folder get the same ids.
        key = (problem.reason, problem.field, problem.raw)
        rejection_id = row_id("rejections", shard, "images", *key, seen[key])
        seen[key] += 1
        place = f"file {problem.file}, row {problem.row}, field {problem.field or '(whole row)'}"
        rows.append(
            {
                "shard": shard,
                "ordinal": ordinal,
                "rejection_id": rejection_id,
                "asset": "images",
                "parent_id": None,
                "request_key": None,
                "reason": problem.reason,
                "detail": f"{place}: {problem.detail}",
                "raw": problem.raw,
                "measures": [],
            }
        )
    return rows
