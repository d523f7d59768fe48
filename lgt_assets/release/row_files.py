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
from lgt_assets.release.image_lists import contents_at, places_in, with_images

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP_ROWS, GROUP_BYTES = 8192, 16 << 20
# Between looks at the size of a page: a thousand pictures of 8 KB would make one of 8 MB, each in fresh memory.
BATCH_ROWS = 32
# Columns of few values; in all others a dictionary would be begun in vain.
REPEATED = {
    "ability", "data_source", "difficulty", "form", "kind", "recipe", "role", "split", "stage", "style", "type", "verification",
}  # fmt: skip
PART_BYTES = 500_000_000  # what the hub advises for one file


class RowFiles(Protocol):
    """The rows of one config and split in their order; ``sha256s``: of files that were hashed while being written."""

    features: dict[str, Any]
    sha256s: dict[Path, str]

    def take(self, rows: pl.DataFrame) -> None:
        """Take rows; all that were taken before have been written."""

    def write(self, count: int, contents: "pa.LargeBinaryArray | None" = None, first: int = 0) -> None:
        """Write the next ``count`` of the rows taken, now or later.

        Args:
            count: none makes an empty file where there would be no other.
            contents: of pictures, whose numbers the rows' lists hold.
            first: number of the first of ``contents``.
        """

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
        self._taken = pl.DataFrame()
        self.features: dict[str, Any] = {}
        self.sha256s: dict[Path, str] = {}

    def take(self, rows: pl.DataFrame) -> None:
        """Take rows."""
        self._taken = rows
        if not self.features:
            schema = plain_schema(rows.head(0).to_arrow().schema)
            self.features = features(schema, image_columns_of(schema))

    def write(self, count: int, contents: "pa.LargeBinaryArray | None" = None, first: int = 0) -> None:
        """Write the next of the rows taken."""
        with self._path.open("ab") as file:
            self._taken.head(count).write_ndjson(file)
        self._taken = self._taken.slice(count)

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
        self._taken: pa.Table | None = None
        self._held: list[pa.Table] = []
        self._contents: list[pa.LargeBinaryArray] = []
        self._held_rows = self._held_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parquet")
        self._writing: Future[None] | None = None
        self._file: HashedFile | None = None
        self._paths: list[Path] = []
        self.features: dict[str, Any] = {}
        self.sha256s: dict[Path, str] = {}

    def take(self, rows: pl.DataFrame) -> None:
        """Take rows."""
        table = rows.rechunk().to_arrow()
        self._taken = table.cast(plain_schema(table.schema))

    def write(self, count: int, contents: "pa.LargeBinaryArray | None" = None, first: int = 0) -> None:
        """Have the next of the rows taken written when a row group is full."""
        rows, self._taken = self._taken.slice(0, count), self._taken.slice(count)
        if contents is not None:
            own = contents_at(contents, places_in(rows[self._form.image_columns[0]]) - first)
            self._contents.append(own)
            self._held_bytes += own.nbytes
        self._held.append(rows)
        self._held_rows += count
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

    def _write(self, held: Sequence["pa.Table"], contents: Sequence["pa.LargeBinaryArray"]) -> None:
        import pyarrow as pa

        table = pa.concat_tables(held)
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
            store_schema=self._form.hub, write_batch_size=BATCH_ROWS,
        )  # fmt: skip

    def _end_part(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            self.sha256s[self._paths[-1]] = self._file.sha256
            self._writer = self._file = None


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
