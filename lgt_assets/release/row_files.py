"""The files that rows are written to: parquet in parts, or JSON Lines; a few thousand rows in memory at most."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from lgt_assets.release.formats.base import EMBEDDED, Format
from lgt_assets.release.hashed_file import HashedFile
from lgt_assets.release.hub_features import features, image_columns_of, metadata

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP_ROWS, GROUP_BYTES = 8192, 16 << 20
# Columns of few values; in all others a dictionary would be begun in vain.
REPEATED = {
    "ability", "data_source", "difficulty", "form", "kind", "recipe", "role", "split", "stage", "style", "type", "verification",
}  # fmt: skip
PART_BYTES = 500_000_000  # what the hub advises for one file


class RowFiles(Protocol):
    """Takes the rows of one config and split in their order; ``sha256s``: of files that were hashed while being written."""

    features: dict[str, Any]
    sha256s: dict[Path, str]

    def add(self, rows: pl.DataFrame, contents: "pa.LargeBinaryArray | None") -> None:
        """Write some rows, now or later; ``contents`` are the pictures that their lists count in."""

    def close(self) -> list[Path]:
        """Write what is left; the files, in order."""

    def abandon(self) -> None:
        """Let go of an unfinished file; after :meth:`close` nothing is left to do."""


def row_files(folder: Path, form: Format, config: str, split: str) -> RowFiles:
    """Files of a config and split below ``folder``."""
    names = (folder / form.file.format(config=config, split=split, part=part) for part in range(100_000))
    return JsonLines(next(names)) if form.file.endswith(".jsonl") else ParquetParts(names, form)


class JsonLines:
    """One JSON object a line."""

    def __init__(self, path: Path):
        self._path = path
        self.features: dict[str, Any] = {}
        self.sha256s: dict[Path, str] = {}

    def add(self, rows: pl.DataFrame, contents: "pa.LargeBinaryArray | None" = None) -> None:
        """Write some rows."""
        if not self.features:
            schema = plain_schema(rows.head(0).to_arrow().schema)
            self.features = features(schema, image_columns_of(schema))
        with self._path.open("ab") as file:
            rows.write_ndjson(file)

    def close(self) -> list[Path]:
        """The file, where there are rows."""
        return [self._path] if self.features else []

    def abandon(self) -> None:
        """No file stays open."""


class ParquetParts:
    """Row groups of at most ``GROUP_ROWS`` rows and about ``GROUP_BYTES``, in files of about ``PART_BYTES``.

    Texts are compressed, pictures are not: they are already. Columns of plain types are written as trainers of all ages read
    them (no views, no large offsets).
    """

    def __init__(self, names: Iterator[Path], form: Format):
        self._names, self._form = names, form
        self._held: list[pl.DataFrame] = []
        self._contents: list[pa.LargeBinaryArray] = []
        self._held_rows = self._held_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parquet")
        self._writing: Future[None] | None = None
        self._file: HashedFile | None = None
        self._paths: list[Path] = []
        self.features: dict[str, Any] = {}
        self.sha256s: dict[Path, str] = {}

    def add(self, rows: pl.DataFrame, contents: "pa.LargeBinaryArray | None" = None) -> None:
        """Take some rows; they are written when a row group is full."""
        if contents is not None:
            places = rows[self._form.image_columns[0]].explode(empty_as_null=False)
            own = contents_at(contents, places)
            self._contents.append(own)
            self._held_bytes += own.nbytes
        self._held.append(rows)
        self._held_rows += rows.height
        if self._held_rows >= GROUP_ROWS or self._held_bytes >= GROUP_BYTES:
            self._hand_on()

    def close(self) -> list[Path]:
        """Write what is left; the files, in order."""
        if self._held:
            self._hand_on()
        self._await()
        self._thread.shutdown()
        self._end_part()
        return self._paths

    def abandon(self) -> None:
        """Let go of an unfinished file."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._end_part()

    def _hand_on(self) -> None:
        """Let the thread write a row group, when it has written the one before."""
        self._await()
        self._writing = self._thread.submit(self._write, self._held, self._contents)
        self._held, self._contents, self._held_rows, self._held_bytes = [], [], 0, 0

    def _await(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _write(self, held: Sequence[pl.DataFrame], contents: Sequence["pa.LargeBinaryArray"]) -> None:
        import pyarrow as pa

        parts = [rows.rechunk().to_arrow() for rows in held]
        table = pa.concat_tables([part.cast(plain_schema(part.schema)) for part in parts])
        if self._form.pictures == EMBEDDED:
            table = with_images(table, self._form.image_columns[0], contents)
        if self._writer is None:
            self._begin_part(table.schema)
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        if self._file.tell() >= PART_BYTES and "{part" in self._form.file:
            self._end_part()

    def _begin_part(self, schema: "pa.Schema") -> None:
        import pyarrow.parquet as pq

        path = next(self._names)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._paths.append(path)
        self._file = HashedFile(path)
        self.features = features(schema, image_columns_of(schema))
        if self._form.hub:
            schema = schema.with_metadata(metadata(schema, self._form.image_columns))
        leaves = leaf_columns(schema)
        texts = [name for name in leaves if not name.endswith(".bytes")]
        repeated = [name for name in texts if REPEATED & set(name.split("."))]
        self._writer = pq.ParquetWriter(
            self._file, schema, compression={name: "ZSTD" if name in texts else "NONE" for name in leaves},
            compression_level=dict.fromkeys(texts, 3), use_dictionary=repeated, write_statistics=texts,
            store_schema=self._form.hub,
        )  # fmt: skip

    def _end_part(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            self.sha256s[self._paths[-1]] = self._file.sha256
            self._writer = self._file = None


def contents_at(contents: "pa.LargeBinaryArray", places: pl.Series) -> "pa.LargeBinaryArray":
    """The contents at ``places``; where these follow one another, without a copy."""
    if places.is_empty():
        return contents.slice(0, 0)
    if places.cast(pl.Int64).diff().drop_nulls().eq(1).all():
        return contents.slice(places[0], len(places))
    return contents.take(places.to_arrow())


def with_images(table: "pa.Table", column: str, contents: Sequence["pa.LargeBinaryArray"]) -> "pa.Table":
    """The table with structs of ``bytes`` and ``path`` in ``column``'s lists: the library's Image, one of the two being null.

    Args:
        table: the lists hold places, or paths of pictures.
        column: theirs.
        contents: in the lists' order, one array for each of the table's chunks, where they hold places; they are not copied.
    """
    import pyarrow as pa

    lists = table[column]
    if pa.types.is_string(lists.type.value_type):
        images = [_image_lists(one, pa.nulls(len(one.flatten()), pa.binary()), one.flatten()) for one in lists.chunks]
    else:
        pairs = zip(lists.chunks, contents, strict=True)
        images = [_image_lists(one, own.cast(pa.binary()), pa.nulls(len(own), pa.string())) for one, own in pairs]
    return table.set_column(table.schema.get_field_index(column), column, pa.chunked_array(images))


def _image_lists(lists: "pa.ListArray", contents: "pa.BinaryArray", paths: "pa.StringArray") -> "pa.ListArray":
    """Lists as long as ``lists``, of pictures."""
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(pc.list_value_length(lists))])
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([contents, paths], ["bytes", "path"]))


def plain_schema(schema: "pa.Schema") -> "pa.Schema":
    """The schema with 32-bit offsets instead of large ones and views."""
    import pyarrow as pa

    return pa.schema([pa.field(one.name, _plain(one.type)) for one in schema])


def _plain(kind: "pa.DataType") -> "pa.DataType":
    import pyarrow as pa
    import pyarrow.types as types

    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    if types.is_large_list(kind) or types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if types.is_struct(kind):
        return pa.struct([pa.field(one.name, _plain(one.type)) for one in kind])
    return kind


def leaf_columns(schema: "pa.Schema") -> list[str]:
    """Names of the parquet columns of a schema, such as ``images.list.element.bytes``."""
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(schema.empty_table(), file)
    columns = pq.ParquetFile(file).schema
    return [columns.column(place).path for place in range(len(columns))]
