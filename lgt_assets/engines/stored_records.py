"""Which completions the files of a shard's store hold, and where each lies; their texts stay on disk until they are asked for."""

import logging
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from lgt_assets.engines.base import Completion
from lgt_assets.engines.completion_records import COLUMNS, completion_of, preferred
from lgt_assets.engines.folding import FILE_COLUMN, chunk_rows
from lgt_assets.engines.journal import Record
from lgt_assets.engines.key_index import KeyIndex, Place
from lgt_assets.engines.recent_completions import RecentCompletions
from lgt_assets.engines.sealing import Sealed
from lgt_assets.engines.stored_files import ChunkCache, ChunkFile, JournalFile

_log = logging.getLogger(__name__)


class StoredRecords:
    """Records by request key, in numbered files. Not for several threads at once."""

    def __init__(self) -> None:
        self._index, self._cache = KeyIndex(), ChunkCache()
        self._recent = RecentCompletions()
        self._files: list[JournalFile | ChunkFile] = []

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: str) -> bool:
        return self._index.get(key) is not None

    def completion(self, key: str) -> Completion:
        """The completion of a key.

        Raises:
            KeyError: none is stored.
            StorageError: its file was damaged while in use.
        """
        if key in self._recent:
            return self._recent.take(key)
        place = self._index.get(key)
        if place is None:
            raise KeyError(key)
        return completion_of(self._files[place.file].record(place.position))

    def add(self, file: JournalFile | ChunkFile) -> int:
        """Give a file its number; its records are not looked at."""
        self._files.append(file)
        return len(self._files) - 1

    def add_journal(self, file: JournalFile) -> int:
        """The number of a journal, and its records are noted."""
        number, content = self.add(file), file.content()
        if content.fault:
            _log.warning("%s: %s, and is skipped", file.path, content.fault)
        for position, record in content.records:
            self.take(record, Place(number, position))
        return number

    def add_chunk(self, path: Path, rows: pl.DataFrame) -> None:
        """Note the records of a chunk, which has ``rows``."""
        number = self.add(ChunkFile(path, self._cache))
        for row, (key, asset) in enumerate(rows.select("request_key", "asset").iter_rows()):
            if not self._index.add(key, asset, Place(number, row)):
                self.take(rows.row(row, named=True), Place(number, row))

    def take(self, record: Record, place: Place, completion: Completion | None = None) -> None:
        """Note a record; ``completion`` is what it keeps, where somebody is about to ask for it."""
        key, asset = record["request_key"], record["asset"]
        if self._index.add(key, asset, place):
            if completion is not None:
                self._recent.put(completion)
            return
        self._recent.forget(key)
        held = self._index.get(key)
        assert held is not None
        if preferred(self._files[held.file].record(held.position), record) is record:
            self._index.move(key, asset, place)

    def refile(self, sealed: Sealed) -> None:
        """What lay in journals now lies in a chunk; the same chunk sealed again keeps its number."""
        number = self.chunks().get(str(sealed.path))
        if number is None:
            number = self.add(ChunkFile(sealed.path, self._cache))
        self._index.refile(sealed.keys, sealed.numbers, number)

    def chunks(self) -> dict[str, int]:
        """The numbers of the chunks by path."""
        return {str(file.path): n for n, file in enumerate(self._files) if isinstance(file, ChunkFile)}

    def rows(self, asset: str, chunks: dict[str, int], count: int) -> Iterator[tuple[pl.DataFrame, list[str]]]:
        """What lies in ``chunks`` of ``asset``, by key, some thousands at a time, with the file of each."""
        for found in chunk_rows(list(chunks), asset, count):
            yield found.select(list(COLUMNS)), found[FILE_COLUMN].to_list()

    def count(self, asset: str) -> int:
        """Keys that ``asset`` paid for."""
        return self._index.count(asset)

    def that_count(self, keys: pl.Series, numbers: list[int]) -> pl.Series:
        """Of several records with one key, in the files ``numbers``, only that which the index names (Boolean)."""
        places = [self._index.get(key) for key in keys]
        counts = [place is not None and place.file == number for place, number in zip(places, numbers, strict=True)]
        return pl.Series(counts, dtype=pl.Boolean)

    def close(self) -> None:
        """Let go of all files."""
        for file in self._files:
            file.close()
        self._index.close()
