"""Every completion ever paid for, by request key: nothing that was answered once is asked again.

Files of a shard lie in ``root/<shard>/``: journals (one a process, appended as completions arrive) and sealed chunks
(zstd Parquet, written when a store closes). A crash between sealing and removing a journal, or two runs at once, leave
duplicates; of equal keys the record with the smallest (text, finish_reason, asset, JSON) counts, whoever reads.
"""

import hashlib
import logging
import os
import re
import uuid
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from lgt_assets.engines.base import Completion, ModelIdentity, Request
from lgt_assets.engines.completion_records import COLUMNS, completion_record, is_whole, preferred
from lgt_assets.engines.journal import (
    PARTIAL_PREFIX,
    Journal,
    Record,
    claim,
    decode_records,
    encode_record,
    sync_folder,
)
from lgt_assets.errors import StorageError
from lgt_assets.identity import SHARD_KEY

_JOURNAL_NAME = re.compile(r"journal-[0-9a-f]{32}\.lgtj")
_CHUNK_NAME = re.compile(r"chunk-[0-9a-f]{32}\.parquet")
_log = logging.getLogger(__name__)


class ResponseStore:
    """The completions of one shard: all that any run stored, and those this run appends.

    Args:
        root: folder of the store; created with the first append.
        shard: key of the shard.

    Raises:
        StorageError: ``shard`` is not a shard key, or the folder cannot be read.
    """

    def __init__(self, root: Path, shard: str) -> None:
        if SHARD_KEY.fullmatch(shard) is None:
            raise StorageError(f"{shard!r} is not a shard key; one reads like scenes-00000")
        self.folder = Path(root) / shard
        self._records: dict[str, Record] = {}
        self._adopted: dict[str, Record] = {}
        self._journal: Journal | None = None
        self._own: dict[str, Record] = {}
        # journals before chunks: a journal sealed in between is then found as a chunk
        self._read_journals()
        self._read_chunks()

    def __enter__(self) -> "ResponseStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __getitem__(self, key: str) -> Completion:
        record = self._records[key]
        names = ("text", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "seconds")
        return Completion(key, **{name: record[name] for name in names})

    def append(
        self,
        request: Request,
        completion: Completion,
        *,
        asset: str,
        role: str,
        engine_kind: str,
        identity: ModelIdentity,
    ) -> None:
        """Keep a completion: once this returns, it survives SIGKILL; within a second, a power cut.

        Raises:
            StorageError: it cannot be written; it does not count as stored then.
        """
        if self._journal is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._journal = Journal(self.folder / f"journal-{uuid.uuid4().hex}.lgtj")
        record = completion_record(
            request, completion, asset=asset, role=role, engine_kind=engine_kind, identity=identity
        )
        self._journal.append(record)
        self._own[completion.request_key] = record
        self._take(record)

    def rows(self, asset: str) -> list[Record]:
        """The completions that ``asset`` paid for, as rows of ``generations`` without shard and ordinal, by request_key."""
        return sorted(
            (record for record in self._records.values() if record["asset"] == asset),
            key=lambda record: record["request_key"],
        )

    def adopt(self, rows: Iterable[Record]) -> int:
        """Take rows of the ``generations`` table whose files were lost; they are sealed when the store closes. How many."""
        before = len(self._adopted)
        for row in rows:
            if row["request_key"] not in self._records:
                record = {name: row[name] for name in COLUMNS}
                self._adopted[row["request_key"]] = record
                self._take(record)
        return len(self._adopted) - before

    def close(self) -> None:
        """Seal what this run appended or adopted, and what dead runs left, into one chunk. Closing twice is fine.

        Raises:
            StorageError: the chunk cannot be written; the journals stay, and nothing is lost.
        """
        if self._journal is not None:
            self._journal.close()
        left = self._claim_dead_journals()
        try:
            fresh = {**self._adopted}
            for records in [*(records for _path, _descriptor, records in left), self._own.values()]:
                for record in records:
                    fresh[record["request_key"]] = preferred(fresh.get(record["request_key"]), record)
            if fresh:
                self._seal(fresh)
            for path in [
                *(path for path, _descriptor, _records in left),
                *([self._journal.path] if self._journal else []),
            ]:
                path.unlink(missing_ok=True)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise StorageError(
                f"a chunk of the response store cannot be sealed in {self.folder}: {error}; the journals stay"
            ) from error
        finally:
            for _path, descriptor, _records in left:
                os.close(descriptor)
        self._journal, self._own, self._adopted = None, {}, {}

    def _seal(self, fresh: dict[str, Record]) -> None:
        """Write one chunk durably; named by its content, so that sealing the same twice gives one file."""
        ordered = [fresh[key] for key in sorted(fresh)]
        content = hashlib.sha256(b"".join(encode_record(record) for record in ordered)).hexdigest()[:32]
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{PARTIAL_PREFIX}{uuid.uuid4().hex}"
        try:
            with partial.open("wb") as stream:
                pl.DataFrame(ordered, schema=COLUMNS).write_parquet(stream, compression="zstd", compression_level=3)
                stream.flush()
                os.fsync(stream.fileno())
            partial.rename(self.folder / f"chunk-{content}.parquet")
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(self.folder)

    def _claim_dead_journals(self) -> list[tuple[Path, int, list[Record]]]:
        left = []
        for path in self._files(_JOURNAL_NAME):
            own = self._journal is not None and path == self._journal.path
            descriptor = None if own else claim(path)
            if descriptor is not None:
                records = decode_records(path.read_bytes(), str(path)) if path.exists() else []
                left.append((path, descriptor, [record for record in records if is_whole(record)]))
        return left

    def _read_journals(self) -> None:
        for path in self._files(_JOURNAL_NAME):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            for record in decode_records(content, str(path)):
                if is_whole(record):
                    self._take(record)
                else:
                    _log.warning("%s: skipped a record without the columns of a completion", path)

    def _read_chunks(self) -> None:
        for path in self._files(_CHUNK_NAME):
            try:
                frame = pl.read_parquet(path, columns=list(COLUMNS)).cast(COLUMNS)
            except (OSError, pl.exceptions.PolarsError) as error:
                _log.warning("%s cannot be read and is skipped: %s", path, error)
                continue
            for record in frame.iter_rows(named=True):
                self._take(record)

    def _files(self, name: re.Pattern[str]) -> list[Path]:
        if not self.folder.is_dir():
            return []
        found = sorted(self.folder.iterdir())
        for path in found:
            known = (
                _JOURNAL_NAME.fullmatch(path.name)
                or _CHUNK_NAME.fullmatch(path.name)
                or path.name.startswith(PARTIAL_PREFIX)
            )
            if not known and name is _CHUNK_NAME:
                _log.warning("%s is no file of the response store and is skipped", path)
        return [path for path in found if name.fullmatch(path.name)]

    def _take(self, record: Record) -> None:
        self._records[record["request_key"]] = preferred(self._records.get(record["request_key"]), record)
