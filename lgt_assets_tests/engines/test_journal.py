"""Journals: whole records come back, whatever happened to the tail."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.journal import MAGIC, Journal, claim, encode_record, read_content, read_record
from lgt_assets.errors import StorageError

RECORDS = [{"text": "eins"}, {"text": "zwei \ud800 \u2028"}, {"n": 3}]
CONTENT = MAGIC + b"".join(encode_record(record) for record in RECORDS)


def decode_records(content: bytes, _name: str) -> list[dict]:
    return [record for _position, record in read_content(content).records]


@given(st.integers(0, len(CONTENT)))
def test_torn_anywhere_gives_the_whole_records_before(cut: int) -> None:
    whole = decode_records(CONTENT[:cut], "journal")
    assert whole == RECORDS[: len(whole)]
    assert len(decode_records(CONTENT, "journal")) == 3
    assert bool(read_content(CONTENT[:cut]).fault) is (
        cut > len(MAGIC) and len(MAGIC + b"".join(map(encode_record, whole))) != cut
    )


@given(st.binary(max_size=200))
def test_foreign_bytes_never_crash(noise: bytes) -> None:
    assert decode_records(noise, "foreign") == [] or noise.startswith(MAGIC)
    assert decode_records(CONTENT + noise, "journal")[:3] == RECORDS


@given(st.integers(len(MAGIC), len(CONTENT) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_never_read(place: int, mask: int) -> None:
    damaged = bytearray(CONTENT)
    damaged[place] ^= mask
    assert all(record in RECORDS for record in decode_records(bytes(damaged), "journal"))


def test_written_records_are_there_before_closing_and_lock_holds(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "one")
    positions = [journal.append(encode_record(record)) for record in RECORDS]
    with (tmp_path / "one").open("rb") as stream:
        assert [read_record(stream.fileno(), position) for position in positions] == RECORDS
        with pytest.raises(StorageError, match="damaged"):
            read_record(stream.fileno(), positions[-1] + 1)
    assert decode_records((tmp_path / "one").read_bytes(), "one") == RECORDS
    assert claim(tmp_path / "one") is None
    journal.close()
    journal.close()
    assert claim(tmp_path / "one") is not None
    assert claim(tmp_path / "gone") is None


def test_full_disk_is_an_error_and_leaves_no_half_record() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(StorageError, match="cannot be created"):
        Journal(Path("/dev/full/journal"))


def test_a_disk_that_refuses_to_sync_is_an_error_from_then_on(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    journal = Journal(tmp_path / "one")
    unsyncable = os.open(full, os.O_WRONLY)
    os.dup2(unsyncable, journal._descriptor)  # a device takes no fsync
    os.close(unsyncable)
    journal._dirty.set()
    journal._syncer.join(30)
    with pytest.raises(StorageError, match="cannot be made durable"):
        journal.append(encode_record(RECORDS[0]))
    with pytest.raises(StorageError, match="cannot be made durable"):
        journal.close()
    assert claim(tmp_path / "one") is not None
