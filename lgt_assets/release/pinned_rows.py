"""The rows of a release, read from its tables at their pinned versions, a few thousand at a time."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from lgt_assets.delta_files import TableFiles, TableFolder, require_files
from lgt_assets.errors import StorageError
from lgt_assets.release.configs import KEYS, RELEASE_TABLES

BATCH_ROWS = 8192
PICTURES, SPLIT = "pictures", "split"
PICTURE = pl.Struct({"image_id": pl.String, "sha256": pl.String, "uri": pl.String})
_PICTURE_FACTS = ("width", "height")
_OF_PICTURES = (*PICTURE.to_schema(), *_PICTURE_FACTS, SPLIT)  # captions are long, and of no use here


class PinnedRows:
    """What a release consists of, whatever was written to its tables since.

    Args:
        folder: the tables.
        versions: Delta version of each of :data:`lgt_assets.release.configs.RELEASE_TABLES`; others are passed over.
        shards: those in the release.
        excluded: the column ``row_id`` names pictures, questions and rows that are left out.

    Raises:
        NotFoundError: a version, or a data file of it, is no longer there.
    """

    def __init__(self, folder: TableFolder, versions: Mapping[str, int], shards: Sequence[str], excluded: pl.DataFrame):
        self.shards = tuple(sorted(shards))
        self._files = {table: folder.open(table, versions[table]) for table in RELEASE_TABLES}
        for files in self._files.values():
            require_files(files, [one for shard in self.shards for one in files.of(shard)])
        parts = excluded.select("row_id", pl.col("row_id").str.split(".").list.get(1).alias("shard"))
        self._excluded = {shard: ids["row_id"] for (shard,), ids in parts.partition_by("shard", as_dict=True).items()}

    def count(self, table: str) -> int:
        """Rows of ``table`` in the shards, excluded ones among them."""
        return sum(one.rows for shard in self.shards for one in self._files[table].of(shard))

    def scan(self, table: str) -> pl.LazyFrame:
        """Rows of ``table`` in all the shards, excluded ones among them."""
        files = self._files[table]
        return files.scan([one for shard in self.shards for one in files.of(shard)])

    def pictures(self, shard: str) -> pl.DataFrame:
        """Rows of ``images`` in ``shard``, less those excluded."""
        images = _read(self._files["images"], shard, 0, None)
        return images.filter(~pl.col("image_id").is_in(self._left_out(shard)))

    def batches(self, table: str) -> Iterator[pl.DataFrame]:
        """Rows of ``table`` (one of :data:`lgt_assets.release.configs.KEYS`), less what is excluded, shard by shard.

        ``images``, which holds image_ids, stays, and these columns come beside the table's own: ``pictures`` (list of
        :data:`PICTURE`, as many), ``split``, and ``width`` and ``height`` of the first picture in pixels (null without one).

        Raises:
            StorageError: a row shows, or was made of, a picture that its shard does not hold.
        """
        for shard in self.shards:
            images = _read(self._files["images"], shard, 0, None, _OF_PICTURES)
            rows = sum(one.rows for one in self._files[table].of(shard))
            for start in range(0, rows, BATCH_ROWS):
                batch = _read(self._files[table], shard, start, BATCH_ROWS)
                yield _with_pictures(self._kept(batch, table, shard), images, table)

    def _left_out(self, shard: str) -> pl.Series:
        return self._excluded.get(shard, pl.Series("row_id", [], dtype=pl.String)).implode()

    def _kept(self, batch: pl.DataFrame, table: str, shard: str) -> pl.DataFrame:
        if shard not in self._excluded:
            return batch
        out = self._left_out(shard)
        return batch.filter(~pl.any_horizontal(pl.col(KEYS[table], "question_id", "image_id").is_in(out)))


def _read(
    files: TableFiles, shard: str, start: int, count: int | None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    rows = files.scan(files.of(shard)).slice(start, count)
    return (rows if columns is None else rows.select(columns)).collect()


def _with_pictures(rows: pl.DataFrame, images: pl.DataFrame, table: str) -> pl.DataFrame:
    pictures = images.select(
        pl.col("image_id").alias("shown"), pl.struct(*PICTURE.to_schema()).alias(PICTURES), *_PICTURE_FACTS
    )
    rows = rows.with_row_index("place")
    shown = rows.select("place", pl.col("images").alias("shown")).explode("shown", empty_as_null=False)
    found = shown.join(pictures, on="shown", how="left", maintain_order="left")
    missing = found.filter(pl.col(PICTURES).is_null())
    if missing.height:
        raise _unknown_picture(rows.row(missing["place"][0], named=True), table, "images", missing["shown"][0])
    found = found.group_by("place", maintain_order=True).agg(PICTURES, pl.col(*_PICTURE_FACTS).first())
    splits = images.select("image_id", SPLIT)
    joined = rows.join(found, on="place", how="left", maintain_order="left").drop("place")
    joined = joined.with_columns(pl.col(PICTURES).fill_null(pl.lit([], dtype=pl.List(PICTURE))))
    joined = joined.join(splits, on="image_id", how="left", maintain_order="left")
    lost = joined.filter(pl.col(SPLIT).is_null())  # a row of no split would be in no file
    if lost.height:
        raise _unknown_picture(lost.row(0, named=True), table, "image_id", lost["image_id"][0])
    return joined


def _unknown_picture(row: Mapping, table: str, column: str, image_id: str) -> StorageError:
    return StorageError(
        f"table {table}, row {row[KEYS[table]]}, {column}: {image_id} is not in the table images at the version that the "
        "release pins: materialize the shard again"
    )
