"""ms-swift on a machine without GPU, network and earlier caches."""

import os
import tempfile

import yaml

from lgt_assets_tests.trainers.swift.reading import CONFIGS

CACHE = tempfile.mkdtemp(prefix="lgt-swift-")
os.environ["MODELSCOPE_CACHE"] = CACHE  # rows that it has read before
os.environ["HF_DATASETS_CACHE"] = CACHE
# As `swift sft CONFIG` sets it; ms-swift's own limit for pictures is not the model's.
if CONFIGS:
    os.environ["MAX_PIXELS"] = str(yaml.safe_load(CONFIGS[0].read_text())["ENV"]["MAX_PIXELS"])
