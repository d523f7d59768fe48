"""Fixtures of the whole session."""

from lgt_assets_tests.object_stores import bucket_root, moto_server, seaweedfs_server, tables_root
from lgt_assets_tests.planted import bed
from lgt_assets_tests.tiny_detector import detector_folder

__all__ = ["bed", "bucket_root", "detector_folder", "moto_server", "seaweedfs_server", "tables_root"]
