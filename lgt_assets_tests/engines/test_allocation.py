"""The C library's heaps: what is freed in many threads goes back to the system."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, sys, threading
from lgt_assets.engines.allocation import bound_heaps
if sys.argv[1] == "bound":
    assert bound_heaps()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_void_p], [ctypes.c_size_t]
everybody = threading.Barrier(16)
heaps = set()

def work():
    block = library.malloc(4096)
    heaps.add(block >> 26)  # glibc's heaps are 64 MiB, aligned
    everybody.wait()
    library.free(block)

threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(heaps))
"""


def heaps(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", SCRIPT, mode], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps a heap for each thread")
def test_threads_share_few_heaps() -> None:
    assert heaps("free") > 4
    assert heaps("bound") <= 3
