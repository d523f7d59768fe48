"""Where pictures come from: rendered scenes, installed photographs, manifests. Cut into immutable shards below the state."""

from lgt_assets.sources.photos import write_manifest
from lgt_assets.sources.records import Picture, SourceBox, SourceProblem, SourceRecord
from lgt_assets.sources.registry import SOURCES, open_source, parse_options
from lgt_assets.sources.rows import ShardRows, member_rows, shard_rows
from lgt_assets.sources.shard_files import ShardSlice, read_shard
from lgt_assets.sources.shards import Addition, SourceSummary, add_source, list_shards, list_sources

__all__ = [
    "SOURCES",
    "Addition",
    "Picture",
    "ShardRows",
    "ShardSlice",
    "SourceBox",
    "SourceProblem",
    "SourceRecord",
    "SourceSummary",
    "add_source",
    "list_shards",
    "list_sources",
    "member_rows",
    "open_source",
    "parse_options",
    "read_shard",
    "shard_rows",
    "write_manifest",
]
