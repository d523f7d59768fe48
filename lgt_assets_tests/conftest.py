"""Fixtures of the whole session."""

from lgt_assets_tests.planted import bed

__all__ = ["bed"]
