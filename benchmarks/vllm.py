"""Our streaming over vLLM against LLM.generate on the same requests, and how much of the prompts the prefix cache serves.

Real vLLM on CPUs with the embedded model (`make bench-vllm`). Our side renders chats, makes request keys and journals each
completion; LLM.generate gets prompts that are rendered already. Every run starts with empty caches.
"""

import argparse
import importlib.util
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lgt_assets.embedded.scenes import caption, generate_scene, render
from lgt_assets.engines.base import Completion, ImageReference, Message, Request, Sampling, request_key
from lgt_assets.engines.request_order import neighbours
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.settings import VllmOfflineSettings
from lgt_assets.engines.vllm_offline import VllmOfflineEngine
from lgt_assets.engines.vllm_prompts import sampling_params

SLOTS = 64
BLOCK = 32
CHUNK = 500
LENGTHS = (4, 256)
EQUAL_LENGTH = 48
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "TORCH_COMPILE_DISABLE": "1", "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR",
}  # fmt: skip


def text_requests(count: int, mixed: bool) -> list[Request]:
    """Captions to go on about, each for a number of tokens of its own; the end of the turn is banned, so that it is reached."""
    drawn, made = random.Random(0), []
    for number in range(count):
        length = round(LENGTHS[0] * (LENGTHS[1] / LENGTHS[0]) ** drawn.random()) if mixed else EQUAL_LENGTH
        sampling = Sampling(temperature=1.0, max_tokens=length, bad_words=("<|im_end|>",))
        text = f"{number}. {caption(generate_scene(number), number)}"
        made.append(Request((Message("user", text),), sampling, seed=number))
    return made


def picture_requests(folder: Path, pictures: int, questions: int, samples: int) -> list[Request]:
    """Questions about pictures in no order, some with a thought to continue."""
    made = []
    for number in range(pictures):
        scene, file = generate_scene(number), folder / f"{number}.png"
        render(scene).save(file)
        image = ImageReference(digest_of(file), str(file))
        for question in range(questions):
            objects = ", ".join(thing.phrase for thing in scene.objects)
            text = f"The picture shows {objects}. Where is object {question} and what is beside it?"
            one = Request((Message("user", text, (image,)),), Sampling(temperature=1.0, max_tokens=8), seed=0)
            thought = f"<think> I see {objects}. Wait," if question % 2 else ""
            made += [replace(one, seed=index, sample_index=index, prefix=thought) for index in range(samples)]
    random.Random(0).shuffle(made)
    return made


def digest_of(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()


class Bench:
    """One engine for both sides."""

    def __init__(self, state: Path) -> None:
        self.state = state
        arguments = {"enforce_eager": True, "block_size": BLOCK, "seed": 0}
        settings = VllmOfflineSettings(
            model="embedded", dtype="float32", max_model_len=1024, max_num_seqs=SLOTS, engine_arguments=arguments
        )
        self.engine = VllmOfflineEngine(settings)
        self.loaded = self.engine._flights.engine()

    def cold(self) -> None:
        """Empty vLLM's prefix cache."""
        if self.engine._flights.engine() is not self.loaded or not self.loaded.llm.reset_prefix_cache():
            raise SystemExit("vLLM died, or requests are under way: nothing can be measured")

    def ours(self, requests: list[Request]) -> float:
        """New tokens a second of our engine, journal and all."""
        self.cold()
        by_key = {request_key(self.engine.identity, one): one for one in requests}
        tokens, started = 0, time.perf_counter()
        with (
            tempfile.TemporaryDirectory(dir=self.state) as folder,
            ResponseStore(Path(folder), "scenes-00000") as store,
        ):
            for result in self.engine.generate(iter(requests)):
                if not isinstance(result, Completion):
                    raise SystemExit(result.error)
                store.append(
                    by_key[result.request_key], result, asset="distilled_cots", role="vlm",
                    engine_kind=self.engine.kind, identity=self.engine.identity,
                )  # fmt: skip
                tokens += result.completion_tokens
            seconds = time.perf_counter() - started
        return tokens / seconds

    def floor(self, requests: list[Request], chunk: int | None = None) -> float:
        """New tokens a second of LLM.generate, all at once or in chunks."""
        self.cold()
        tokenizer = self.loaded.llm.get_tokenizer()
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": message.role, "content": message.text} for message in one.messages],
                tokenize=False,
                add_generation_prompt=True,
            )
            for one in requests
        ]
        params = [sampling_params(one) for one in requests]
        tokens, started = 0, time.perf_counter()
        for at in range(0, len(requests), chunk or len(requests)):
            part = slice(at, at + (chunk or len(requests)))
            outputs = self.loaded.llm.generate(prompts[part], params[part], use_tqdm=False)
            tokens += sum(len(output.outputs[0].token_ids) for output in outputs)
        return tokens / (time.perf_counter() - started)

    def cache_share(self, requests: list[Request]) -> float:
        """Prompt tokens that came from the prefix cache : those that could have."""
        self.cold()
        results = list(self.engine.generate(iter(requests)))
        served = sum(result.cached_tokens for result in results if isinstance(result, Completion))
        return served / self.cacheable(requests)

    def cacheable(self, requests: list[Request]) -> int:
        """Prompt tokens in whole blocks that an earlier request had from its start; a prompt's last token is always read."""
        known: set[object] = set()
        total = 0
        for one in neighbours(requests):
            images = tuple(image.sha256 for message in one.messages for image in message.images)
            tokens = self.loaded._prompts.render(one)["prompt_token_ids"]
            chain = [(images, tuple(tokens[:end])) for end in range(BLOCK, len(tokens) + 1, BLOCK)]
            total += BLOCK * sum(block in known for block in chain[: (len(tokens) - 1) // BLOCK])
            known.update(chain)
        return total


def interleaved(mine: Callable[[], float], floor: Callable[[], float], runs: int) -> tuple[float, float, float]:
    """Medians of (ours, floor, ours : floor); who goes first changes from run to run."""
    pairs = []
    for run in range(runs):
        first, second = (mine, floor) if run % 2 else (floor, mine)
        one, other = first(), second()
        pairs.append((one, other) if run % 2 else (other, one))
        print(f"run {run + 1}: ours {pairs[-1][0]:.0f}, floor {pairs[-1][1]:.0f} tokens/s", file=sys.stderr, flush=True)
    return (
        statistics.median(mine for mine, _ in pairs),
        statistics.median(floor for _, floor in pairs),
        statistics.median(mine / floor for mine, floor in pairs),
    )


def measure(count: int, runs: int) -> dict[str, float]:
    """All figures; ``count`` requests of mixed lengths and half as many of equal ones."""
    with tempfile.TemporaryDirectory() as state:
        bench = Bench(Path(state))
        try:
            equal, mixed = text_requests(count // 2, mixed=False), text_requests(count, mixed=True)
            bench.ours(equal[:SLOTS]), bench.floor(equal[:SLOTS])
            equal_ours, equal_floor, equal_ratio = interleaved(
                lambda: bench.ours(equal), lambda: bench.floor(equal), runs
            )
            mixed_ours, mixed_floor, mixed_ratio = interleaved(
                lambda: bench.ours(mixed), lambda: bench.floor(mixed, CHUNK), runs
            )
            share = bench.cache_share(picture_requests(Path(state), max(2, count // 40), 4, 4))
        finally:
            bench.engine.close()
    return {
        "equal_ours_tokens_per_s": round(equal_ours, 1),
        "equal_floor_tokens_per_s": round(equal_floor, 1),
        "equal_ratio": round(equal_ratio, 3),
        "mixed_ours_tokens_per_s": round(mixed_ours, 1),
        "mixed_floor_tokens_per_s": round(mixed_floor, 1),
        "mixed_ratio": round(mixed_ratio, 3),
        "prefix_cache_share": round(share, 3),
    }


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if importlib.util.find_spec("vllm") is None:
        reason = "vllm is not installed here: make bench-vllm runs this in an environment of its own"
        print(json.dumps({"not_measured": reason}) if arguments.json else f"not measured: {reason}")
        return
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    figures = measure(arguments.requests, arguments.runs)
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"{'tokens/s':<32}{'ours':>9}{'LLM.generate':>14}{'ratio':>8}")
    for name, label in {"equal": "equal lengths", "mixed": f"mixed lengths, chunks of {CHUNK}"}.items():
        mine, floor, ratio = (
            figures[f"{name}_{part}"] for part in ("ours_tokens_per_s", "floor_tokens_per_s", "ratio")
        )
        print(f"{label:<32}{mine:>9}{floor:>14}{ratio:>8}")
    print(f"prompt tokens served from the prefix cache : possible = {figures['prefix_cache_share']}")


if __name__ == "__main__":
    main()
