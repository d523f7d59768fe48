"""Where all state lies. Light: commands that look at one row load nothing else of the settings."""

import os
import re
from pathlib import Path

from lgt_assets.errors import SettingsError

# With any other character in the path, what deltalake wrote is not found by polars, which is given its address as a URL, or
# the path is taken for a pattern.
OBJECT_STORES = ("s3", "gs", "az")
_READABLE = re.compile(r"[A-Za-z0-9/!$&'()+,.:;@_~-]+")


def state_folder() -> Path:
    """Where all state lies: ``$LGT_STATE``, by default ``.lgt`` below the working directory; absolute.

    Raises:
        SettingsError: polars cannot read Delta tables there.
    """
    return _readable(Path(os.environ.get("LGT_STATE") or ".lgt").absolute(), "LGT_STATE")


def tables_folder() -> str:
    """Root of the tables: ``$LGT_TABLES``, a folder or an ``s3://``, ``gs://`` or ``az://`` address, or one in the state folder.

    How an object store is reached, and with which credentials, the environment says, as delta-rs and polars read it
    (``AWS_ACCESS_KEY_ID`` …, ``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_STORAGE_ACCOUNT_NAME`` …).

    Raises:
        SettingsError: it is neither, or a folder in which polars cannot read Delta tables.
    """
    root = os.environ.get("LGT_TABLES", "")
    if not root:
        return str(state_folder() / "tables")
    if "://" not in root:
        return str(_readable(Path(root).absolute(), "LGT_TABLES"))
    scheme, _, place = root.partition("://")
    if scheme not in OBJECT_STORES or not place.strip("/"):
        raise SettingsError(
            f"LGT_TABLES={root}: tables lie in a folder, or below {'://…, '.join(OBJECT_STORES)}://…, with a bucket's name"
        )
    return root.rstrip("/")


def _readable(folder: Path, variable: str) -> Path:
    odd = "".join(sorted(set(_READABLE.sub("", str(folder)))))
    if odd:
        raise SettingsError(
            f"the folder {folder} has {odd!r} in its path, and Delta tables there cannot be read back: set {variable} to a "
            "folder whose path has only ASCII letters, digits and . _ - ~ + @"
        )
    return folder
