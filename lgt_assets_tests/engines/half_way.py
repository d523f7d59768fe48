"""A run of real vLLM that is killed half-way: ``python -m lgt_assets_tests.engines.half_way FOLDER`` answers and journals."""

import sys
from collections.abc import Iterator
from pathlib import Path

from lgt_assets.engines.base import Completion, Request
from lgt_assets.engines.generation import Asking
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import VllmOfflineSettings
from lgt_assets.engines.vllm_offline import VllmOfflineEngine
from lgt_assets_tests.engines.requests import request

SHARD = "scenes-00000"
COUNT = 48
SLOTS = 4
BLOCK = 32
LOOK_AHEAD = 16
STEP_TOKENS = 1024


def settings() -> VllmOfflineSettings:
    """A small engine on CPUs."""
    arguments = {"enforce_eager": True, "block_size": BLOCK, "seed": 0, "max_num_batched_tokens": STEP_TOKENS}
    return VllmOfflineSettings(
        model="embedded", dtype="float32", max_model_len=1024, max_num_seqs=SLOTS, look_ahead=LOOK_AHEAD,
        engine_arguments=arguments,
    )  # fmt: skip


def requests() -> list[Request]:
    """Of mixed lengths."""
    return [request(f"question {number}", max_tokens=4 + number % 7 * 12, bad_words=("<",)) for number in range(COUNT)]


def answer_missing(engine: VllmOfflineEngine, store: ResponseStore) -> Iterator[str]:
    """Ask for what the store lacks; the keys of what was asked, each once it is journalled."""
    asked = []

    class Watched:
        kind, identity = engine.kind, engine.identity

        def generate(self, wanted: Iterator[Request]) -> Iterator[object]:
            for result in engine.generate(wanted):
                yield result  # the asker journals it before it asks for the next
                assert isinstance(result, Completion)
                asked.append(result.request_key)
                print(result.request_key, flush=True)

    wanted = ((one, number) for number, one in enumerate(requests()))
    replies = list(Asking(Watched(), store, wanted, asset="distilled_cots", role="vlm"))  # type: ignore[arg-type]
    assert len(replies) == COUNT
    yield from asked


def main() -> None:
    """Answer all."""
    with VllmOfflineEngine(settings()) as engine, ResponseStore(Path(sys.argv[1]), SHARD) as store:
        for _key in answer_missing(engine, store):
            pass


if __name__ == "__main__":
    main()
