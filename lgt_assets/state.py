"""Where all state lies. Light: commands that look at one row load nothing else of the settings."""

import hashlib
import os
import re
from pathlib import Path

from lgt_assets.errors import SettingsError

OBJECT_STORES = ("s3", "gs", "az")
DEFAULT_CACHE_GB = 20.0  # of each of the caches of what lies on an object store
# With any other character in the path, what deltalake wrote is not found by polars, which is given its address as a URL, or
# the path is taken for a pattern.
_READABLE = re.compile(r"[A-Za-z0-9/!$&'()+,.:;@_~-]+")


def state_folder() -> Path:
    """Where all state lies: ``$LGT_STATE``, by default ``.lgt`` below the working directory; absolute.

    Raises:
        SettingsError: polars cannot read Delta tables there.
    """
    return _readable(Path(os.environ.get("LGT_STATE") or ".lgt").absolute(), "LGT_STATE")


def shared_store() -> str:
    """What the machines of a cluster share: ``$LGT_STORE``, an ``s3://``, ``gs://`` or ``az://`` address; "" where nothing is.

    Below it lie ``tables``, ``images``, ``responses`` and ``sources``, as they else do in the state folder, which then is each
    machine's own. How the store is reached, and with which credentials, the environment says, as delta-rs and polars read it
    (``AWS_ACCESS_KEY_ID`` …, ``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_STORAGE_ACCOUNT_NAME`` …).

    Raises:
        SettingsError: it is no such address.
    """
    root = os.environ.get("LGT_STORE", "")
    return _address(root, "LGT_STORE") if root else ""


def tables_folder() -> str:
    """Root of the tables: ``$LGT_TABLES``, a folder or an address as of :func:`shared_store`, or below that, or the state folder.

    Raises:
        SettingsError: it is neither, or a folder in which polars cannot read Delta tables.
    """
    root = os.environ.get("LGT_TABLES", "")
    if not root:
        return f"{shared_store() or state_folder()}/tables"
    return _address(root, "LGT_TABLES") if "://" in root else str(_readable(Path(root).absolute(), "LGT_TABLES"))


def responses_folder() -> Path:
    """Folder of the response store; with ``$LGT_STORE`` one for each such address, with copies of what lies there."""
    root = shared_store()
    if not root:
        return state_folder() / "responses"
    return state_folder() / "shared-responses" / hashlib.sha256(root.encode()).hexdigest()[:16]


def response_cache_bytes() -> int:
    """Bytes of shared completions that a machine may keep copies of: ``$LGT_RESPONSE_CACHE_GB`` times 10⁹.

    Raises:
        SettingsError: that is no number, or negative.
    """
    return gigabytes("LGT_RESPONSE_CACHE_GB", DEFAULT_CACHE_GB)


def gigabytes(variable: str, default: float) -> int:
    """Bytes that an environment variable gives in units of 10⁹.

    Raises:
        SettingsError: it is no number, or negative.
    """
    given = os.environ.get(variable, "") or str(default)
    try:
        most = float(given)
        if not 0 <= most < float("inf"):
            raise ValueError
    except ValueError as error:
        raise SettingsError(f"{variable}={given}: give a number of gigabytes, 0 or more") from error
    return int(most * 1e9)


def _address(root: str, variable: str) -> str:
    scheme, _, place = root.partition("://")
    if scheme not in OBJECT_STORES or not place.strip("/"):
        either = "tables lie in a folder, or" if variable == "LGT_TABLES" else "a store that machines share lies"
        raise SettingsError(
            f"{variable}={root}: {either} below {'://…, '.join(OBJECT_STORES)}://…, with a bucket's name"
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
