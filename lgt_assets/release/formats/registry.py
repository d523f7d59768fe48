"""All formats by name."""

from lgt_assets.errors import SettingsError
from lgt_assets.release.formats.base import Format
from lgt_assets.release.formats.hf import HF
from lgt_assets.release.formats.placeholders import EASYR1, LLAMAFACTORY, OPENRLHF, SWIFT, VERL
from lgt_assets.release.formats.rows import ROWS
from lgt_assets.release.formats.structured import STRUCTURED

FORMATS = {one.name: one for one in (HF, LLAMAFACTORY, SWIFT, VERL, STRUCTURED, EASYR1, OPENRLHF, ROWS)}


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        SettingsError: there is none.
    """
    if name not in FORMATS:
        raise SettingsError(f"no format {name!r}: there are {', '.join(FORMATS)}")
    return FORMATS[name]
