"""The model that post-training starts from: the embedded architecture after few steps."""

import importlib.resources
from pathlib import Path

from lgt_assets.errors import EngineError


def student_folder() -> Path:
    """The folder of the student that comes with the package.

    Raises:
        EngineError: this installation holds none.
    """
    folder = Path(str(importlib.resources.files("lgt_assets") / "embedded" / "student"))
    if not (folder / "model.safetensors").is_file():
        raise EngineError(
            f"the student's weights are missing from {folder}: reinstall, or `lgt embedded train --student`"
        )
    return folder
