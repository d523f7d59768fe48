"""LLaMA-Factory on a machine without GPU, network and earlier caches."""

import importlib.util
import os
import sys
import tempfile
from types import ModuleType

# It imports torchaudio for sounds, whose wheel fails beside a torch for CPUs. This stands in for it; nothing here has sounds.
if importlib.util.find_spec("llamafactory") is not None and importlib.util.find_spec("torchaudio") is None:
    stand_in = ModuleType("torchaudio", "A stand-in without contents.")
    stand_in.__spec__ = importlib.util.spec_from_loader("torchaudio", loader=None)
    sys.modules["torchaudio"] = stand_in
    os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp(prefix="lgt-llamafactory-")
    os.environ["LLAMAFACTORY_VERBOSITY"] = "WARN"
