"""A stand-in for `vllm serve` in tests of processes: a real HTTP server with vLLM's addresses and flags, and no model.

It repeats what it is asked (the scripted test server), starts a child process that ignores SIGTERM, as an engine might, and
misbehaves as told. ``--pids FILE`` gets its own number and the child's.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lgt_assets_tests.engines.openai_test_server import TestServer
from lgt_assets_tests.engines.test_openai_server import echo

CHILD = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('child', flush=True); time.sleep(600)"
)


async def run(options: argparse.Namespace) -> None:
    server = TestServer(echo(), options.name or options.served_model_name, host=options.host)
    await server.serve(options.port)
    if options.lives:
        await asyncio.sleep(options.lives)
        print("out of memory: the stand-in was told to die", flush=True)
        os._exit(3)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--served-model-name")
    parser.add_argument("--name", default="", help="serve under this name instead")
    parser.add_argument("--pids", type=Path)
    parser.add_argument("--lives", type=float, default=0.0, help="die after so many seconds")
    parser.add_argument("--silent", action="store_true", help="never listen")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    options, _rest = parser.parse_known_args()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if options.deaf else signal.SIG_DFL)
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    with options.pids.open("a") as file:
        file.write(f"{os.getpid()} {child.pid} {os.environ.get('CUDA_VISIBLE_DEVICES', '-')}\n")
    if options.silent:
        time.sleep(600)
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
