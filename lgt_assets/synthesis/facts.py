"""What prompts are told about a picture: its caption and its grounded objects, in the tables' own order."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Facts:
    """A row of ``images`` with its rows of ``grounded_objects``, both as dicts by column."""

    image: dict
    objects: tuple[dict, ...]

    def described(self, object_ids: list[str] | None = None) -> list[dict]:
        """Objects as templates take them: label, phrase, box in whole pixels; all, or those of the ids in their order."""
        by_id = {row["object_id"]: row for row in self.objects}
        chosen = (
            self.objects if object_ids is None else [by_id[object_id] for object_id in object_ids if object_id in by_id]
        )
        return [
            {
                "label": row["label"],
                "phrase": row["phrase"],
                "box": [round(row[edge]) for edge in ("x0", "y0", "x1", "y1")],
            }
            for row in chosen
        ]


def in_order(frame: pl.DataFrame, *keys: str) -> list[dict]:
    """A table's rows as dicts, by ``keys`` (by default ``ordinal``): the order of a frame's rows never matters."""
    return frame.sort(list(keys) or ["ordinal"]).to_dicts()


def by_key(rows: list[dict], key: str) -> dict[str, list[dict]]:
    """Rows grouped by a column, groups and rows in the order given."""
    groups: dict[str, list[dict]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups


def facts_by_image(images: pl.DataFrame, objects: pl.DataFrame) -> dict[str, Facts]:
    """Facts of every picture by image_id, pictures and objects by ordinal."""
    grouped = by_key(in_order(objects), "image_id")
    return {row["image_id"]: Facts(row, tuple(grouped.get(row["image_id"], ()))) for row in in_order(images)}
