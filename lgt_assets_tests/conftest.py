"""Fixtures of the whole session."""

from lgt_assets_tests.planted import bed
from lgt_assets_tests.tiny_detector import detector_folder

__all__ = ["bed", "detector_folder"]
