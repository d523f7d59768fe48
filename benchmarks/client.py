"""Our client against bare aiohttp: CPU time a request and wall time, 64 requests in flight, answers after 20 ms.

Ours is all that a run does: prompts rendered from the ``lgt`` set, keys, the journal of a real response store, sealed at
the end, on uvloop's event loop, as in production. The floor is aiohttp as one would write it down, on asyncio's own loop: it
posts dictionaries that lie ready and parses the answers. The server is a process of its own, on another
core where there are two. Pictures of 100 kB: five questions about each; the floor's bodies lie ready as bytes, ours
are read from files, checked and encoded. CPU time is this process's, all threads, above start-up (a warm-up round).
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from benchmarks.servers.answering import TEXT
from lgt_assets.engines.base import ImageReference, Request, Sampling
from lgt_assets.engines.generation import Asking
from lgt_assets.engines.openai_body import BodyBuilder
from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.prompts.templates import prompt_set

IN_FLIGHT = 64
PICTURE_BYTES = 100_000
QUESTIONS_PER_PICTURE = 5
SAMPLING = Sampling(temperature=1.0, top_p=0.95, max_tokens=1024, stop=("</answer>",), include_stop=True)


@contextmanager
def server_process() -> Iterator[str]:
    """The server on its own core; yields its base address."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.servers.answering"], stdout=subprocess.PIPE, text=True
    )
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, cores[1:2])
        os.sched_setaffinity(0, cores[:1])
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.kill()
        process.wait()
        if len(cores) > 1:
            os.sched_setaffinity(0, cores)


def requests(count: int, pictures: list[ImageReference]) -> Iterator[Request]:
    """The answering model's requests, rendered as they are pulled."""
    prompts = prompt_set("lgt")
    template_hash = prompts.template_hash("vlm")
    for number in range(count):
        images = (pictures[number // QUESTIONS_PER_PICTURE],) if pictures else ()
        messages = prompts.messages(
            "vlm", images=images, question=f"How many red circles lie to the left of the large blue square number {number}?",
            choices=["none at all", "three of them", "two of them", "only one"], answer_format="letter",
        )  # fmt: skip
        yield Request(messages, SAMPLING, seed=number, template_hash=template_hash)


def measured(work: Callable[[], int], count: int) -> tuple[float, float]:
    """(CPU ms a request, wall seconds) of ``work``, which must answer ``count`` requests."""
    cpu, wall = time.process_time(), time.perf_counter()
    assert work() == count
    return (time.process_time() - cpu) / count * 1e3, time.perf_counter() - wall


def ours(engine: OpenaiServerEngine, count: int, pictures: list[ImageReference]) -> int:
    """All of a run's work; how many replies were read back from the store."""
    wanted = ((request, request.seed) for request in requests(count, pictures))
    with tempfile.TemporaryDirectory() as folder, ResponseStore(Path(folder), "scenes-00000") as store:
        return sum(
            reply.completion.text == TEXT for reply in Asking(engine, store, wanted, asset="distilled_cots", role="vlm")
        )


def floor(address: str, bodies: list[dict] | list[bytes]) -> int:
    """Bare aiohttp; how many answers came."""

    async def run() -> int:
        pending, texts = iter(bodies), 0
        headers = {"Content-Type": "application/json"}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT), headers=headers) as session:

            async def work() -> None:
                nonlocal texts
                for body in pending:
                    given = {"data": body} if isinstance(body, bytes) else {"json": body}
                    async with session.post(f"{address}/chat/completions", **given) as response:
                        texts += len((await response.json())["choices"])

            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return texts

    return asyncio.run(run())


def write_pictures(folder: Path, count: int) -> list[ImageReference]:
    """Files of 100 kB that begin like a PNG; the client looks no further."""
    references = []
    for number in range(count):
        content = b"\x89PNG\r\n\x1a\n" + random.Random(number).randbytes(PICTURE_BYTES - 8)
        path = folder / f"{number}.png"
        path.write_bytes(content)
        references.append(ImageReference(hashlib.sha256(content).hexdigest(), str(path)))
    return references


def compared(
    address: str, engine: OpenaiServerEngine, count: int, runs: int, pictures: list[ImageReference]
) -> list[tuple]:
    """``runs`` interleaved pairs of ((CPU ms, wall s) of ours, of the floor) after a warm-up of each."""
    builder = BodyBuilder("m", "vllm", {})
    built = [builder.build(request) for request in requests(count, pictures)]
    bodies = built if pictures else [json.loads(body) for body in built]
    warm = min(count, 4 * IN_FLIGHT)
    ours(engine, warm, pictures), floor(address, bodies[:warm])
    return [
        (measured(lambda: ours(engine, count, pictures), count), measured(lambda: floor(address, bodies), count))
        for _ in range(runs)
    ]


def measure(count: int, picture_count: int, runs: int) -> dict[str, float]:
    """The medians over interleaved runs."""
    with server_process() as address, tempfile.TemporaryDirectory() as folder:
        settings = OpenaiServerSettings(model="m", revision="1", endpoints=(address,), in_flight=IN_FLIGHT)
        with OpenaiServerEngine(settings) as engine:
            text = compared(address, engine, count, runs, [])
            pictures = write_pictures(Path(folder), picture_count // QUESTIONS_PER_PICTURE)
            pictured = compared(address, engine, picture_count, runs, pictures)
    figures = {}
    for prefix, pairs in (("", text), ("picture_", pictured)):
        mine, theirs = zip(*pairs, strict=True)
        figures |= {
            f"{prefix}cpu_ms_per_request": round(statistics.median(cpu for cpu, _ in mine), 3),
            f"floor_{prefix}cpu_ms_per_request": round(statistics.median(cpu for cpu, _ in theirs), 3),
            f"{prefix}wall_s": round(statistics.median(wall for _, wall in mine), 3),
            f"floor_{prefix}wall_s": round(statistics.median(wall for _, wall in theirs), 3),
            f"{prefix}wall_ratio": round(statistics.median(m[1] / t[1] for m, t in pairs), 3),
        }
    return figures


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--picture-requests", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.requests, arguments.picture_requests, arguments.runs)
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"{'':12}{'ours, CPU ms':>14}{'floor, CPU ms':>15}{'ours, s':>9}{'floor, s':>10}{'wall ratio':>12}")
    for name, prefix in (("text", ""), ("pictures", "picture_")):
        columns = [f"{prefix}cpu_ms_per_request", f"floor_{prefix}cpu_ms_per_request", f"{prefix}wall_s",
                   f"floor_{prefix}wall_s", f"{prefix}wall_ratio"]  # fmt: skip
        print(f"{name:12}" + "".join(f"{figures[c]:>{w}}" for c, w in zip(columns, (14, 15, 9, 10, 12), strict=True)))


if __name__ == "__main__":
    main()
