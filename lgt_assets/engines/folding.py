"""Reading what an asset paid for out of all chunks of a shard, in order of key, some thousand rows at a time."""

from collections.abc import Iterator, Sequence

import polars as pl

from lgt_assets.engines.completion_records import COLUMNS

FOLDED_ROWS = 1024
FILE_COLUMN = "_file"


def chunk_rows(paths: Sequence[str], asset: str, count: int) -> Iterator[pl.DataFrame]:
    """Rows of ``asset`` in the chunks at ``paths``, by request_key, with the path of each row's file in :data:`FILE_COLUMN`.

    Args:
        paths: of the chunks; keys may come in several.
        asset: who paid.
        count: of the asset's keys; the space of keys, which are hashes, is cut into so many ranges that each has some
            :data:`FOLDED_ROWS`.

    Raises:
        OSError, polars.exceptions.PolarsError: a chunk cannot be read.
    """
    ranges = -(-count // FOLDED_ROWS)
    for number in range(ranges):
        within = pl.col("request_key") >= f"{number * 2**32 // ranges:08x}"
        if number + 1 < ranges:
            within &= pl.col("request_key") < f"{(number + 1) * 2**32 // ranges:08x}"
        # chunks of before completions named their endpoint lack that column
        chunks = pl.scan_parquet(list(paths), schema=COLUMNS, missing_columns="insert", include_file_paths=FILE_COLUMN)
        yield chunks.filter(within, pl.col("asset") == asset).sort("request_key").collect()
