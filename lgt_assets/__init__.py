"""Images, dense captions and boxes in; a Long Grounded Thoughts dataset out."""

import os

__version__ = "0.1.0"

# Polars' allocator (jemalloc) holds on to freed pages for ten seconds by default, so that a shard written batch by batch looks as if it
# were all in memory. It reads this when polars is loaded, which is after this package; your own setting goes before.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:200,muzzy_decay_ms:0")
