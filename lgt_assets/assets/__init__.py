"""The graph: one module per table, each thin; the work is in synthesis, the mechanics in shard_asset."""
