"""Which file a row's ``image`` means, and that it lies where the source's pictures may lie."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from lgt_assets.sources.records import RowRejected, storable

# Marks that turn the direction of text, so that a name reads as another one, and line ends beside the control characters.
_DECEPTIVE = frozenset("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def picture_path(text: str, folder: Path, roots: Sequence[Path] = ()) -> Path:
    """The absolute path that a row's ``image`` means.

    Somebody else may have written the row, and packed symbolic links beside it: what it names, links followed, has to lie in
    ``folder`` or one of ``roots``, or private pictures would slip into the dataset.

    Args:
        text: relative to ``folder``, or absolute.
        folder: where the source's pictures lie.
        roots: further folders that the user named.

    Raises:
        RowRejected: ``missing_field`` where it is empty; ``unsafe_path`` where it can be no file's name, climbs out of
            ``folder`` by ``..``, or lies outside of all these folders.
    """
    if not text.strip():
        raise RowRejected("missing_field", "image", "image is empty; name the picture's file")
    if "\0" in text or storable(text) != text:
        raise RowRejected("unsafe_path", "image", f"{text!r} cannot be the name of a file")
    if any(unicodedata.category(char) == "Cc" or char in _DECEPTIVE for char in text):
        raise RowRejected(
            "unsafe_path", "image", f"{ascii(text)} holds line ends or control characters; rename the file"
        )
    path = Path(os.path.normpath(text))
    if not path.is_absolute() and path.parts[:1] == ("..",):
        raise RowRejected("unsafe_path", "image", f"{text!r} leaves the folder {folder}; {_ADVICE}")
    path = folder / path
    real = os.path.realpath(path)
    if not any(Path(real).is_relative_to(os.path.realpath(root)) for root in (folder, *roots)):
        by = "" if real == str(path) else f" by a symbolic link to {storable(real)}"
        raise RowRejected("unsafe_path", "image", f"{text!r} leaves the folder {folder}{by}; {_ADVICE}")
    return path


def other_spelling(path: Path) -> Path | None:
    """A file that is there under the same name in another Unicode form, as macOS and Linux write an é; None without one."""
    for form in ("NFC", "NFD"):
        other = Path(unicodedata.normalize(form, str(path)))
        if other != path and other.exists():
            return other
    return None


_ADVICE = "copy the picture there, or name the folder that it lies in with --option roots=FOLDER"
