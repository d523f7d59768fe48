"""Where all state lies. Light: commands that look at one row load nothing else of the settings."""

import os
import re
from pathlib import Path

from lgt_assets.errors import SettingsError

# With any other character in the path, what deltalake wrote is not found by polars, which is given its address as a URL, or
# the path is taken for a pattern.
_READABLE = re.compile(r"[A-Za-z0-9/!$&'()+,.:;@_~-]+")


def state_folder() -> Path:
    """Where all state lies: ``$LGT_STATE``, by default ``.lgt`` below the working directory; absolute.

    Raises:
        SettingsError: polars cannot read Delta tables there.
    """
    folder = Path(os.environ.get("LGT_STATE") or ".lgt").absolute()
    odd = "".join(sorted(set(_READABLE.sub("", str(folder)))))
    if odd:
        raise SettingsError(
            f"the state folder {folder} has {odd!r} in its path, and Delta tables there cannot be read back: set LGT_STATE to a "
            "folder whose path has only ASCII letters, digits and . _ - ~ + @"
        )
    return folder


def tables_folder() -> str:
    """Root of the tables."""
    return str(state_folder() / "tables")
