"""A request's pictures as the bytes on disk: read once per picture, checked against their sha256, never re-encoded."""

import hashlib
import io
import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import unquote, urlparse

from lgt_assets.engines.base import ImageReference
from lgt_assets.shared_pictures import is_shared, read_shared

if TYPE_CHECKING:
    from PIL.Image import Image

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


class ImageUnreadable(Exception):
    """A request's picture is missing, changed or of no known type; engines turn it into that request's failure."""


def path_of(uri: str) -> str:
    """The path of the file that a picture's ``uri``, a path or a file:// address, names."""
    return unquote(urlparse(uri).path) if uri.startswith("file://") else uri


def _read(path: str) -> bytes:
    """The file's bytes by the system's own calls: for small pictures three times as fast as :meth:`pathlib.Path.read_bytes`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        content = os.read(descriptor, size)
        while len(content) < size and (more := os.read(descriptor, size - len(content))):
            content += more  # a read may give less than was asked for
        return content
    finally:
        os.close(descriptor)


def read_image_bytes(image: ImageReference) -> bytes:
    """The picture at ``image.uri``: a path, a file:// address, or one on an object store.

    Raises:
        ImageUnreadable: it cannot be read, or its content is no longer what ``image.sha256`` says.
        StorageError: the object store does not answer.
    """
    path = path_of(image.uri)
    try:
        content = read_shared(path, image.sha256) if is_shared(path) else _read(path)
    except OSError as error:
        raise _missing(path, error) from error
    _require_sha256(content, image.sha256, path)
    return content


def read_image_into(room: memoryview, image: ImageReference) -> int:
    """Read the picture at ``image.uri`` to the beginning of ``room``.

    Returns:
        Its size in bytes; where it is larger than ``room``, what lies there is of no use.

    Raises:
        ImageUnreadable, StorageError: as :func:`read_image_bytes`.
    """
    path = path_of(image.uri)
    if is_shared(path):
        content = read_image_bytes(image)
        if len(content) <= len(room):
            room[: len(content)] = content
        return len(content)
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            done = os.readv(descriptor, [room])
            if done < len(room) and _has_sha256(room[:done], image.sha256):
                return done  # as nearly always; to ask for the size first takes a tenth longer
            size = os.fstat(descriptor).st_size
            if size > len(room):
                return size
            while done < size and (more := os.readv(descriptor, [room[done:size]])):
                done += more  # a read may give less than was asked for
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _missing(path, error) from error
    _require_sha256(room[:done], image.sha256, path)
    return done


def _missing(path: str, error: OSError) -> ImageUnreadable:
    return ImageUnreadable(
        f"picture {path} cannot be read ({error.strerror or 'it is not there'}); put it back or remove its row"
    )


def _has_sha256(content: bytes | memoryview, sha256: str) -> bool:
    return hashlib.sha256(content).hexdigest() == sha256


def _require_sha256(content: bytes | memoryview, sha256: str, path: str) -> None:
    if not _has_sha256(content, sha256):
        raise ImageUnreadable(
            f"picture {path} is not the one that was added: its sha256 is not {sha256[:16]}…; add it anew"
        )


def open_picture(image: ImageReference) -> "Image":
    """The picture as RGB, upright by its EXIF orientation, transparency on white: as vLLM's server decodes it.

    Raises:
        ImageUnreadable: it is missing, changed, or no picture that Pillow can decode.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(read_image_bytes(image))) as stored:
            return on_white(ImageOps.exif_transpose(stored))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageUnreadable(f"picture {image.uri} cannot be decoded: {error}") from error


def on_white(picture: "Image") -> "Image":
    """A copy as RGB, transparency on white; its pixels are decoded, with Pillow's errors where they are broken."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    opaque = Image.new("RGB", clear.size, "white")
    opaque.paste(clear, mask=clear.getchannel("A"))
    return opaque


def media_type(content: bytes) -> str:
    """The MIME type by the file's first bytes, whatever its name says.

    Raises:
        ImageUnreadable: the bytes are no picture of a known type.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    for signature, name in _SIGNATURES:
        if content.startswith(signature):
            return name
    raise ImageUnreadable("the picture is neither PNG, JPEG, GIF, WebP, BMP nor TIFF; convert it before adding it")


Value = TypeVar("Value")


class RecentImages(Generic[Value]):
    """What was last made of pictures, by sha256, at most ``size`` of them: requests about one picture are neighbours."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, Value] = OrderedDict()

    def get(self, sha256: str) -> "Value | None":
        """The value kept for a picture, if it is still there."""
        if sha256 in self._values:
            self._values.move_to_end(sha256)
        return self._values.get(sha256)

    def put(self, sha256: str, value: "Value") -> None:
        """Keep ``value``; the one unused for longest leaves."""
        self._values[sha256] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)
