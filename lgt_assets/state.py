"""Where all state lies. Light: commands that look at one row load nothing else of the settings."""

import os
from pathlib import Path


def state_folder() -> Path:
    """Where all state lies: ``$LGT_STATE``, by default ``.lgt`` below the working directory; absolute."""
    return Path(os.environ.get("LGT_STATE") or ".lgt").absolute()


def tables_folder() -> str:
    """Root of the tables."""
    return str(state_folder() / "tables")
