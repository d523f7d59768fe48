"""Fields of a row that somebody else wrote: there, and of the right type, or rejected by name."""

import math
import re
from collections.abc import Mapping

from lgt_assets.sources.records import RowRejected

_NAMES = {str: "text", list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}


_SHA256 = re.compile(r"[0-9a-f]{64}")


def declared_sha256(fields: Mapping) -> str | None:
    """The ``sha256`` that a row says its picture has, if any. Raises RowRejected: it is none."""
    text = optional(fields, "sha256", str)
    if text is not None and not _SHA256.fullmatch(text.lower()):
        raise RowRejected("bad_type", "sha256", f"{text[:80]!r} is no sha256: 64 hexadecimal digits")
    return None if text is None else text.lower()


def declared_size(fields: Mapping) -> tuple[int, int] | None:
    """``width`` and ``height`` that a row says, if both. Raises RowRejected: they are no whole numbers above zero."""
    sides = []
    for name in ("width", "height"):
        value = fields.get(name)
        value = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value  # in CSV
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31):
            raise RowRejected("bad_type", name, f"{name} is {described(value)}; it should be a whole number of pixels")
        sides.append(value)
    return None if None in sides else (sides[0], sides[1])


def external_id(value: object) -> str | None:
    """An id as text; None for none. Raises RowRejected: it is neither text nor a whole number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowRejected("bad_type", "id", f"id is {described(value)}; give text or a whole number")
    return str(value)


def number(value: object, field: str) -> float:
    """A finite or infinite number. Raises RowRejected: it is none; text and true are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowRejected("bad_type", field, f"{described(value)} where a number should be, without quotes")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def required(fields: Mapping, name: str, kind: type, inside: str = "") -> object:
    """A field of a row, or of the part of it called ``inside``. Raises RowRejected: it is missing, null or of another type."""
    value = optional(fields, name, kind, inside)
    if value is None:
        field = f"{inside}.{name}" if inside else name
        hint = '; a picture without boxes says "boxes": []' if field == "boxes" else ""
        raise RowRejected("missing_field", field, f"{field} is missing{hint}")
    return value


def optional(fields: Mapping, name: str, kind: type, inside: str = "") -> object:
    """The same; None where it is missing or null."""
    value = fields.get(name)
    return value if value is None else typed(value, kind, f"{inside}.{name}" if inside else name)


def typed(value: object, kind: type, field: str) -> object:
    """``value``, which must be of ``kind``. Raises RowRejected: it is not; ``field`` is empty for the whole row."""
    if not isinstance(value, kind):
        raise RowRejected("bad_type", field, f"{field or 'the row'} is {described(value)}; it should be {_NAMES[kind]}")
    return value


def described(value: object) -> str:
    """A value's type, and its first characters, for a message."""
    if value is None:
        return "null"
    name = _NAMES.get(type(value), type(value).__name__)
    return name if isinstance(value, list | dict) else f"{name} ({str(value)[:80]!r})"
