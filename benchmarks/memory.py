"""Peak memory of one shard of 20,000 and of 200,000 requests: asking, journal, store, validation, Delta tables are the real ones.

The engine is a FAKE that answers by rule, out of order: what is measured is the platform around it. Each size runs in a process
of its own; so does the floor, the same process with no request at all.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

SIZES = (0, 20_000, 200_000)
SHARD = "scenes-00000"
WINDOW = 128
WORDS = (
    "the a this that shape near beside above below left right large small round long pale dark first second other edge side "
    "corner part whole seems looks stands lies leans turns between behind under over toward from with and but then because"
).split()


class FakeEngine:
    """A FAKE: answers every window of requests backwards, with some 600 characters each; it keeps nothing."""

    kind = "scripted"

    def __init__(self) -> None:
        from lgt_assets.engines.base import ModelIdentity

        self.identity = ModelIdentity("fake", "1")

    def generate(self, requests: Iterable) -> Iterator:
        """One completion a request."""
        from lgt_assets.engines.base import Completion, request_key

        pending = iter(requests)
        while window := list(islice(pending, WINDOW)):
            for request in reversed(window):
                words = random.Random(request.seed).choices(WORDS, k=100)
                text = f"<think> The colour is seen at once. {' '.join(words)}. </think><answer>(A)</answer>"
                yield Completion(request_key(self.identity, request), text, "stop", 300, 0, 130, 0.1)

    def close(self) -> None:
        """Nothing to free."""


def planned(count: int) -> Iterator:
    """Requests as distilled_cots plans them: four samples of a question."""
    from lgt_assets.engines.base import Message, Request, Sampling
    from lgt_assets.identity import digest, row_id
    from lgt_assets.synthesis.planned import Planned

    sampling = Sampling(temperature=1.0, max_tokens=512, stop=("</answer>",), include_stop=True)
    for number in range(count):
        question_id = row_id("seed_questions", SHARD, "memory", number // 4)
        prompt = f"Question {question_id}: {'what colour is the thing beside the other thing, ' * 10}? (A) red (B) green (C) blue"
        context = {
            "question_id": question_id, "question": "What colour is it?", "sample_index": number % 4,
            "image_id": f"i.{SHARD}.{digest('picture')[:16]}",
            "choices_shown": ["red", "green", "blue"], "right_index": 0, "answer_format": "letter",
        }  # fmt: skip
        yield Planned(Request((Message("user", prompt),), sampling, seed=number, sample_index=number % 4), context)


def make_shard_of(count: int) -> dict:
    """Make distilled_cots of one shard; the rows that came of it, and the process's peak of resident memory."""
    from lgt_assets import resources
    from lgt_assets.assets.making import make_shard
    from lgt_assets.assets.shard import Shard
    from lgt_assets.resources import Models, Tables
    from lgt_assets.synthesis.distill import build_cots

    models = Models()
    resources._open_engines[models.profile.models["fake"].model_dump_json()] = FakeEngine()
    store = Tables().store()

    def make(shard: Shard) -> object:
        return build_cots(shard.key, shard.ask("vlm", planned(count)), profile=shard.profile)

    make_shard(Shard(SHARD, "distilled_cots", {}, models, store), make, {"run_id": "memory"})
    peak = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    )  # before the rows are counted, which is not a run's work
    rows = {
        name: store.scan(name).select("ordinal").collect().height for name in ("distilled_cots", "generations") if count
    }
    return {"rss_mb": peak, "rows": rows}


def in_a_process(count: int) -> dict:
    """The same in a fresh process with a state folder of its own."""
    with tempfile.TemporaryDirectory(prefix="lgt-memory-") as folder:
        profile = Path(folder) / "memory.yaml"
        profile.write_text(
            "{name: memory, prompts: embedded, models: {fake: {engine: scripted, model: fake}}, roles: {vlm: {model: fake}}}"
        )
        environment = os.environ | {"LGT_STATE": str(Path(folder) / "state"), "LGT_PROFILE": str(profile)}
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", "--requests", str(count)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert all(rows == count for rows in figures["rows"].values()), figures
    return figures


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=None, help="of one process; for the benchmark's own use")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.requests is not None:
        print(json.dumps(make_shard_of(arguments.requests)))
        return
    floor, small, large = (in_a_process(size)["rss_mb"] for size in SIZES)
    figures = {
        "rss_mb_20k": round(small, 1), "rss_mb_200k": round(large, 1), "ratio": round(large / small, 3),
        "rss_mb_floor": round(floor, 1),
    }  # fmt: skip
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"peak resident memory: {small:.0f} MB at 20,000 requests, {large:.0f} MB at 200,000: {figures['ratio']}x")
    print(f"of which {floor:.0f} MB are the libraries, loaded")


if __name__ == "__main__":
    main()
