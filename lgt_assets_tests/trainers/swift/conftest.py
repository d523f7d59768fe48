"""ms-swift on a machine without GPU, network and earlier caches."""

import importlib.util
import os
import tempfile

if importlib.util.find_spec("swift") is not None:
    # Rows that it read before.
    os.environ["MODELSCOPE_CACHE"] = os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp(prefix="lgt-swift-")
    # `swift sft CONFIG` sets it from the config; it is read once a process. ms-swift asks no model for its own limit.
    os.environ["MAX_PIXELS"] = "13000"
