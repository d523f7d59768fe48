"""One row with all it was made from and all that was made from it, read from its shard; a tree or a page shows it."""

from lgt_assets.lineage.declarations import KEYS, LABELS

__all__ = ["KEYS", "LABELS"]
