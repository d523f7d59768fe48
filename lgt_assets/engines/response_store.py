"""Every completion ever paid for, by request key: nothing that was answered once is asked again.

Files of a shard lie in ``root/<shard>/``: journals (one a process at a time, appended as completions arrive, sealed when they
are long and when the store closes) and sealed chunks. A crash between sealing and removing a journal, or two runs at once, leave
duplicates; of equal keys the record with the smallest (text, finish_reason, asset, JSON) counts, whoever reads. What is torn or
foreign goes to ``set-aside/`` with a warning. Where machines share chunks, see :mod:`lgt_assets.engines.shared_chunks`, a journal
is sealed at least every :data:`SHARE_SECONDS`, too: a lost machine takes the completions of so long with it.
"""

import logging
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import polars as pl

from lgt_assets.engines.base import Completion, ModelIdentity, Request
from lgt_assets.engines.completion_records import COLUMNS, completion_of, completion_record, encode_completion
from lgt_assets.engines.folder_use import hold_in_use
from lgt_assets.engines.journal import Journal, Record
from lgt_assets.engines.key_index import Place
from lgt_assets.engines.sealing import SEAL_BYTES, Sealed, Unsealed, seal_journals
from lgt_assets.engines.shared_chunks import SharedChunks
from lgt_assets.engines.sharing_thread import SHARE_SECONDS, Regularly
from lgt_assets.engines.stored_files import JournalFile, chunk_paths, journal_paths, read_chunk, set_aside
from lgt_assets.engines.stored_records import StoredRecords
from lgt_assets.errors import StorageError
from lgt_assets.identity import SHARD_KEY

_log = logging.getLogger(__name__)


class ResponseStore:
    """The completions of one shard: all that any run stored, and those this run appends. Safe for several threads.

    Args:
        root: folder of the store; created with the first append.
        shard: key of the shard.
        read_only: leave every file as it is, also torn ones.
        shared: where chunks are put, and taken from, too.

    Raises:
        StorageError: ``shard`` is not a shard key, the folder cannot be read, or what is shared cannot be fetched.
    """

    def __init__(self, root: Path, shard: str, *, read_only: bool = False, shared: SharedChunks | None = None) -> None:
        if SHARD_KEY.fullmatch(shard) is None:
            raise StorageError(f"{shard!r} is not a shard key; one reads like scenes-00000")
        self.folder = Path(root) / shard
        self._read_only = read_only
        self._lock, self._seal_lock = threading.RLock(), threading.Lock()
        self._records = StoredRecords()
        self._unsealed: dict[int, Unsealed] = {}
        self._journal: Journal | None = None
        self._journal_number = -1
        self._retired: list[Journal] = []
        self._sealer: ThreadPoolExecutor | None = None
        self._sealing: Future[None] | None = None
        self._in_use: int | None = None
        self._is_ending = self._closed = False
        self._shared = shared
        self._sharing: Regularly | None = None
        try:
            self._read_folder()
        except BaseException as error:
            self._records.close()
            self._mark_unused()
            if isinstance(error, OSError):
                raise StorageError(f"the response store in {self.folder} cannot be read: {error}") from error
            raise

    def __enter__(self) -> "ResponseStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return str(key) in self._records

    def __getitem__(self, key: str) -> Completion:
        with self._lock:
            return self._records.completion(key)

    def append(
        self, request: Request, completion: Completion, *, asset: str, role: str, engine_kind: str, identity: ModelIdentity
    ) -> None:  # fmt: skip
        """Keep a completion: once this returns, it survives SIGKILL; within a second, a power cut.

        Raises:
            StorageError: it cannot be written; it does not count as stored then.
        """
        origin = {"asset": asset, "role": role, "engine_kind": engine_kind, "identity": identity}
        record = completion_record(request, completion, **origin)
        kept = completion if record["text"] is completion.text else completion_of(record)
        self._append(record, encode_completion(record), kept)

    def adopt(self, rows: Iterable[Record]) -> int:
        """Take rows of the ``generations`` table whose files were lost. How many were new."""
        adopted = 0
        for row in rows:
            if row["request_key"] not in self:
                record = {name: row.get(name) for name in COLUMNS}
                self._append(record, encode_completion(record), completion_of(record))
                adopted += 1
        return adopted

    def frames(self, asset: str) -> Iterator[pl.DataFrame]:
        """The completions that ``asset`` paid for, as rows of ``generations`` without shard and ordinal, by request_key.

        Some thousands at a time; everything is sealed first.

        Raises:
            StorageError: a chunk cannot be written or read.
        """
        self._seal(live=True)
        with self._lock:
            count, chunks = self._records.count(asset), self._records.chunks()
        try:
            for found, files in self._records.rows(asset, chunks, count):
                with self._lock:
                    counting = self._records.that_count(found["request_key"], [chunks[file] for file in files])
                yield found.filter(counting)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise StorageError(f"a chunk in {self.folder} cannot be read: {error}; run again") from error

    def close(self) -> None:
        """Seal what this run appended, and what dead runs left. Closing twice is fine.

        Raises:
            StorageError: a chunk cannot be written or shared; the journals stay, and nothing is lost.
        """
        if self._closed:
            return
        try:
            with self._lock:
                self._is_ending = True  # a journal opened from here on would be closed by nobody
            try:
                if self._sharing is not None:
                    self._sharing.stop()
            finally:
                if not self._read_only:
                    self._seal(live=False)
        finally:
            self._closed = True
            if self._sealer is not None:
                self._sealer.shutdown()
            self._records.close()
            self._mark_unused()

    def _append(self, record: Record, encoded: bytes, completion: Completion) -> None:
        with self._lock:
            if self._is_ending or self._read_only:
                raise StorageError(
                    f"the response store in {self.folder} is {'closed' if self._is_ending else 'read-only'}"
                )
            if self._journal is None:
                self._open_journal()
            assert self._journal is not None
            position = self._journal.append(encoded)
            self._records.take(record, Place(self._journal_number, position), completion)
            if self._journal.size >= SEAL_BYTES:
                self._seal_meanwhile()

    def _open_journal(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._mark_in_use()
            self._journal = Journal(self.folder / f"journal-{uuid.uuid4().hex}.lgtj")
            file = JournalFile(self._journal.path)
            self._journal_number = self._records.add(file)
            self._unsealed[self._journal_number] = Unsealed(self._journal_number, file, is_own=True)
            if self._shared is not None and self._sharing is None:
                self._sharing = Regularly(lambda: self._seal(live=False), SHARE_SECONDS)
        except OSError as error:
            raise StorageError(f"the response store cannot write in {self.folder}: {error}") from error

    def _retire_journal(self) -> None:
        """Write no more to the own journal; it stays locked until it is sealed."""
        if self._journal is not None:
            self._retired.append(self._journal)
            self._journal, self._journal_number = None, -1

    def _seal_meanwhile(self) -> None:
        """Seal in a thread of its own; what went wrong with the last such sealing is raised here.

        Not where chunks are shared: a store that does not answer for a while is no reason to stop.
        """
        self._retire_journal()
        if self._sharing is not None:
            self._sharing.soon()
            return
        if self._sealing is not None and self._sealing.done():
            self._sealing.result()
        if self._sealer is None:
            self._sealer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seal")
        self._sealing = self._sealer.submit(self._seal_retired, live=False)

    def _seal(self, *, live: bool) -> None:
        with self._lock:
            self._retire_journal()
        self._seal_retired(live=live)

    def _seal_retired(self, *, live: bool) -> None:
        publish = self._shared.publish if self._shared is not None else None
        with self._seal_lock:
            with self._lock:
                waiting = [self._unsealed[n] for n in self._unsealed if n != self._journal_number]
                retired, self._retired = self._retired, []
            try:
                seal_journals(self.folder, waiting, live=live, on_sealed=self._refile, publish=publish)
            finally:
                for journal in retired:
                    journal.close()

    def _refile(self, sealed: Sealed) -> None:
        with self._lock:
            if sealed.path is not None and not self._is_ending:  # else nobody asks any more where a record lies
                self._records.refile(sealed)
            for number in sealed.numbers:  # no place is in them any more
                self._unsealed.pop(number).file.close()

    def _mark_in_use(self) -> None:
        """`lgt store gc` leaves alone what somebody reads."""
        if self._in_use is None and self.folder.is_dir():
            self._in_use = hold_in_use(self.folder)

    def _mark_unused(self) -> None:
        if self._in_use is not None:
            os.close(self._in_use)

    def _read_folder(self) -> None:
        if self._shared is not None:
            self._shared.clear(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
        self._mark_in_use()
        if self._shared is not None:
            self._shared.fetch(self.folder)
        # journals before chunks: a journal sealed in between is then found as a chunk
        self._read_journals()
        self._read_chunks()

    def _read_journals(self) -> None:
        for path in journal_paths(self.folder):
            try:
                file = JournalFile(path)
            except FileNotFoundError:
                continue
            number = self._records.add_journal(file)
            self._unsealed[number] = Unsealed(number, file, is_own=False)

    def _read_chunks(self) -> None:
        for path in chunk_paths(self.folder):
            try:
                self._records.add_chunk(path, self._chunk(path))
            except pl.exceptions.PolarsError as error:
                if self._read_only or self._shared is not None:
                    _log.warning("%s cannot be read and is skipped: %s", path, error)
                else:
                    set_aside(path, f"it cannot be read ({error})")
            except OSError as error:
                _log.warning("%s cannot be read and is skipped: %s", path, error)

    def _chunk(self, path: Path) -> pl.DataFrame:
        """Rows of a chunk; where a copy was damaged, of a new one."""
        try:
            return read_chunk(path)
        except (OSError, pl.exceptions.PolarsError):
            if self._shared is None:
                raise
        self._shared.fetch_again(path)
        return read_chunk(path)
