"""Asset checks of every partitioned table, from one table of declarations; each shard gets its own evaluation."""

from lgt_assets.checks.asset_checks import CHECKS

__all__ = ["CHECKS"]
