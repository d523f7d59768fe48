"""Pictures of rows are handed on a few megabytes at a time, however large each is."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.release.delivered_pictures import MOST_BYTES, WINDOW, next_window, with_delivered
from lgt_assets.release.formats.base import EMBEDDED
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.pinned_rows import PICTURE

PNG = b"\x89PNG\r\n\x1a\n"


def rows_showing(path: Path, counts: list[int]) -> pl.DataFrame:
    """A row for each count, showing the picture so many times."""
    shown = {"image_id": "i", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "uri": str(path)}
    return pl.DataFrame({"pictures": pl.Series([[shown] * count for count in counts], dtype=pl.List(PICTURE))})


@pytest.mark.parametrize("counts", [[1] * 150, [0] * 100 + [3] * 50])
def test_large_pictures_are_held_a_few_at_a_time(tmp_path: Path, counts: list[int]):
    (tmp_path / "large.png").write_bytes(PNG + bytes(1 << 20))
    rows, end, count = rows_showing(tmp_path / "large.png", counts), 0, 0
    with PictureBytes() as pictures:
        for some in with_delivered(rows, EMBEDDED, tmp_path, pictures):
            assert some.contents.nbytes <= 4 * MOST_BYTES  # 16 rows of 3 MB, before their size is known
            assert some.start == end and some.first == count
            places = [place for own in some.rows["pictures"][some.start : some.end].to_list() for place in own]
            assert places == list(range(count, count + len(some.contents)))
            end, count = some.end, count + len(some.contents)
            assert some.rows["pictures"].list.len().to_list() == counts
    assert (end, count) == (len(counts), sum(counts))


def test_windows_follow_the_size_of_what_was_read():
    assert next_window(16, 16 * 8192) == WINDOW and next_window(16, 0) == 16
    assert next_window(16, 16 << 20) == 16 and next_window(1, 1 << 30) == 1
