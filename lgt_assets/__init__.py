"""Images, dense captions and boxes in; a Long Grounded Thoughts dataset out."""

import os

__version__ = "0.1.0"

# Polars lets its allocator (jemalloc) hold on to freed pages for half a second to a second and a half, and a shard that is
# written batch by batch looks as if much of it were in memory at once. Without delay (0) large sorts and joins would take half
# as long again. Polars appends this to its own setting when it is loaded, which is after this package; yours goes before.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:200,muzzy_decay_ms:0")
