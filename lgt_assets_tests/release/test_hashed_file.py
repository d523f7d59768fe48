"""A file that is hashed while it is written."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgt_assets.release.hashed_file import HashedFile


@given(pieces=st.lists(st.binary(max_size=300_000), max_size=30))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_hash_is_that_of_the_file_as_it_lies_there(tmp_path: Path, pieces: list[bytes]):
    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    with HashedFile(path) as file:
        assert [file.write(piece) for piece in pieces] == [len(piece) for piece in pieces]
        assert file.tell() == sum(map(len, pieces))
    file.close()
    assert file.closed and path.read_bytes() == b"".join(pieces)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_there_is_not_written_over(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"rows")
    with pytest.raises(FileExistsError):
        HashedFile(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"rows"


def test_parquet_s_writer_is_content_with_it(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.table({"text": [str(number) * 50 for number in range(50_000)]})
    with HashedFile(tmp_path / "rows.parquet") as file:
        with pq.ParquetWriter(file, rows.schema) as writer:
            writer.write_table(rows, row_group_size=1000)
        assert not file.closed
    assert pq.read_table(tmp_path / "rows.parquet").equals(rows)
    assert file.sha256 == hashlib.sha256((tmp_path / "rows.parquet").read_bytes()).hexdigest()
