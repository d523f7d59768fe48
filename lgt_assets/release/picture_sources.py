"""Where a release's pictures come from: sources, licences and credits, counted; and one line of credit for every picture."""

from collections.abc import Iterator, Mapping

import polars as pl

from lgt_assets.release.models_used import base_name
from lgt_assets.release.tallied import counts

MOST_ATTRIBUTIONS = 200  # that a card lists; beyond, the file of credits does
ATTRIBUTIONS_FILE = "ATTRIBUTIONS.tsv"
_SHOWING = ("sft_mix", "preference_pairs", "rl_prompts")
_HEADER = "sha256\tsource\texternal_id\tlicense\tattribution\n"
_DIGITS = "0123456789abcdef"


def shown_pictures(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Rows of ``images`` that at least one row of the datasets shows."""
    ids = pl.concat([tables[name].select(pl.col("images").explode(empty_as_null=False)) for name in _SHOWING])
    return tables["images"].join(ids.unique(), left_on="image_id", right_on="images", how="semi")


def source_facts(pictures: pl.LazyFrame, boxes: pl.LazyFrame) -> dict:
    """Counts by source and licence, who wrote captions and drew boxes, which of them were made here, and the distinct credits.

    Args:
        pictures: rows of ``images``.
        boxes: rows of ``grounded_objects``.

    Returns:
        ``sources``: source, license, pictures; ``splits``: source, split, pictures; ``captions``: source, caption_source,
        pictures, and how many of their captions were ``generated``, as the source had none; ``boxes``: box_source, boxes, and how
        many of them were ``generated``, which is found by a detector; ``attributions``: license, attribution, pictures, at most
        ``MOST_ATTRIBUTIONS`` of ``attributions_in_all``. Names of models that are paths are cut to their last part.
    """
    generated = pl.col("request_key").is_not_null().cast(pl.Int64).sum().alias("generated")
    credited = pictures.filter(pl.col("attribution").is_not_null())
    distinct = credited.group_by("license", "attribution").agg(pl.len().cast(pl.Int64).alias("pictures"))
    listed = distinct.sort("license", "attribution").head(MOST_ATTRIBUTIONS).collect(engine="streaming")
    return {
        "sources": counts(pictures, "source", "license", name="pictures"),
        "splits": counts(pictures, "source", "split", name="pictures"),
        "captions": _named(
            counts(pictures, "source", "caption_source", name="pictures", sums=[generated]), "caption_source"
        ),
        "boxes": _named(counts(boxes, "box_source", name="boxes", sums=[generated]), "box_source"),
        "attributions": listed.to_dicts(),
        "attributions_in_all": distinct.select(pl.len()).collect(engine="streaming").item(),
    }


def _named(rows: list[dict], maker: str) -> list[dict]:
    """``rows`` with the model that generated them by its name alone, since where it lay concerns nobody."""
    return [row | {maker: base_name(row[maker])} if row["generated"] else row for row in rows]


def attribution_lines(pictures: pl.LazyFrame) -> Iterator[str]:
    """The file :data:`ATTRIBUTIONS_FILE`: a header, and a line for each distinct picture, ordered by sha256.

    A sixteenth of the pictures is in memory at a time.

    Args:
        pictures: rows of ``images``; one that came with several sources has a line for each.
    """
    yield _HEADER
    columns = ("sha256", "source", "external_id", "license", "attribution")
    for digit in _DIGITS:
        own = pictures.filter(pl.col("sha256").str.starts_with(digit)).select(columns).unique()
        for row in own.sort(columns).collect(engine="streaming").iter_rows():
            yield "\t".join(_cell(value) for value in row) + "\n"


def _cell(value: str | None) -> str:
    """Text of a source as one cell: tabs and line breaks are blanks, other controls are spelt out."""
    shown = "" if value is None else " ".join(value.split())
    return "".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in shown)
