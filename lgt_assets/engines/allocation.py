"""How this process's C library hands out memory while torch decodes on CPUs.

A decode step's tensors differ in size from the last step's, and each asking decodes in a thread of its own. glibc keeps a heap
for each such thread, up to eight a core, and learns to take ever larger tensors from it: what is free there is in pieces
and never goes back to the system. Fixed limits keep large tensors out of the heaps, and heaps few.
"""

import ctypes
import sys

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_HEAPS = 2
_MAPPED_BYTES = 1 << 20
_KEPT_BYTES = 16 << 20


def bound_heaps() -> bool:
    """Set the limits for the rest of this process; whether its C library took them (only glibc has them)."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    limits = {_M_ARENA_MAX: _HEAPS, _M_MMAP_THRESHOLD: _MAPPED_BYTES, _M_TRIM_THRESHOLD: _KEPT_BYTES}
    return all([mallopt(parameter, value) == 1 for parameter, value in limits.items()])
