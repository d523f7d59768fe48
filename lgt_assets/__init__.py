"""Images, dense captions and boxes in; a Long Grounded Thoughts dataset out."""

import os

__version__ = "0.1.0"

# Polars' allocator (jemalloc) by default holds on to freed pages for ten seconds, and a shard that is written batch by batch
# looks as if much of it were in memory at once. Without delay (0) large sorts and joins would take half as long again. The
# allocator reads this when polars is loaded, which is after this package; a setting of your own goes before.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:200,muzzy_decay_ms:0")
