"""Perceptual hashes: pictures that look the same have nearly the same 64 bits, re-encoded and resized as well.

pHash of the library ImageHash: the signs of the lowest 8 x 8 frequencies of a 32 x 32 grey copy. Over 300 rendered scenes,
JPEG at quality 50 and sizes from a third to the double moved at most 4 bits, and two different scenes were 8 or more apart.
"""

import io
import warnings
from pathlib import Path

import polars as pl
from PIL import Image, ImageOps

from lgt_assets.sources.decoding import FORMATS, MAX_PIXELS
from lgt_assets.sources.records import RowRejected

HASH_PATTERN = r"^[0-9a-f]{16}$"
_CHUNK = 1024


def picture_hash(data: bytes, path: Path) -> str:
    """The picture's pHash as 16 hexadecimal digits, upright as its EXIF says.

    Raises:
        RowRejected: not a picture, broken, or too large to be opened.
    """
    from imagehash import phash

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow remarks on odd metadata, which changes no pixel.
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise RowRejected("image_too_large", "image", f"{path} has more than {MAX_PIXELS:,} pixels")
                return str(phash(ImageOps.exif_transpose(image).convert("RGB")))
    except RowRejected:
        raise
    except (
        Exception
    ) as error:  # Pillow's decoders raise nearly anything on hostile bytes; all of it means one thing here.
        problem = f"{path} is not a whole picture ({type(error).__name__}: {error}); copy it again"
        raise RowRejected("unreadable_image", "image", problem) from error


def near_hashes(ours: pl.Series, theirs: pl.Series, distance: int) -> pl.DataFrame:
    """Which of ``ours`` lies within ``distance`` bits of one of ``theirs``.

    Every pair is compared, 1,024 of ours at a time: memory is 8 KiB for each of theirs, whatever the number of ours.

    Args:
        ours, theirs: pHashes, 16 hexadecimal digits.
        distance: bits of 64 that may differ.

    Returns:
        ``row`` (of ours), ``match`` (row of the nearest of theirs, the first of equals) and ``bits``, ordered by row.
    """
    import numpy as np

    own, other = (series.str.to_integer(base=16, dtype=pl.UInt64).to_numpy() for series in (ours, theirs))
    found: list[tuple[int, int, int]] = []
    for start in range(0, len(own) if len(other) else 0, _CHUNK):
        bits = np.bitwise_count(own[start : start + _CHUNK, None] ^ other[None, :])
        nearest = bits.argmin(axis=1)
        least = bits[np.arange(len(nearest)), nearest]
        found += [(start + int(i), int(nearest[i]), int(least[i])) for i in np.flatnonzero(least <= distance)]
    return pl.DataFrame(found, schema={"row": pl.Int64, "match": pl.Int64, "bits": pl.Int64}, orient="row")


def near_earlier(hashes: pl.Series, distance: int) -> pl.DataFrame:
    """Which of ``hashes`` lie within ``distance`` bits of an earlier one; columns as of :func:`near_hashes`, ordered by row.

    Every pair of a chunk of 1,024 and the rows before it is compared.
    """
    found = []
    for start in range(0, len(hashes), _CHUNK):
        before, chunk = hashes[:start], hashes[start : start + _CHUNK]
        nearest = {row: (match, bits) for row, match, bits in near_hashes(chunk, before, distance).iter_rows()}
        for row in range(1, len(chunk)):
            if row not in nearest:
                for _, match, bits in near_hashes(chunk[row : row + 1], chunk[:row], distance).iter_rows():
                    nearest[row] = (start + match, bits)
        found += [(start + row, match, bits) for row, (match, bits) in sorted(nearest.items())]
    return pl.DataFrame(found, schema={"row": pl.Int64, "match": pl.Int64, "bits": pl.Int64}, orient="row")
