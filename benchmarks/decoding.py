"""Our decode loop against transformers' own ``generate`` on the same requests of mixed lengths, embedded model, one thread."""

import argparse
import json
import statistics
import time

from lgt_assets.embedded.grammar import QUESTION_TYPES
from lgt_assets.embedded.scenes import caption, generate_scene
from lgt_assets.engines.base import Request, Sampling
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.model_identity import embedded_folder
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.prompts.templates import prompt_set

BATCH = 32
MOST_TOKENS = 160


def requests(count: int) -> list[Request]:
    """The questioner's requests about ``count`` scenes, greedy, so that both sides write the same texts."""
    prompts, types = prompt_set("embedded"), list(QUESTION_TYPES)
    made = []
    for number in range(count):
        scene = generate_scene(number)
        objects = [{"label": o.shape, "phrase": o.phrase, "box": list(o.box)} for o in scene.objects]
        question_type = types[number % len(types)]
        focus = objects[: 2 if question_type == "Comparison" else 1]
        messages = prompts.messages(
            "questioner", caption=caption(scene, number), objects=objects, focus=focus, question_type=question_type
        )
        made.append(Request(messages, Sampling(max_tokens=MOST_TOKENS), seed=number))
    return made


def ours(engine: HfTransformersEngine, asked: list[Request]) -> tuple[int, float]:
    """(new tokens, seconds) of our engine."""
    started = time.perf_counter()
    tokens = sum(result.completion_tokens for result in engine.generate(asked))
    return tokens, time.perf_counter() - started


def floor(asked: list[Request]) -> tuple[int, float]:
    """(new tokens, seconds) of generate on left-padded batches; tokens until each row's own end count."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoTokenizer

    folder = embedded_folder()
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    texts = [
        tokenizer.apply_chat_template(
            [{"role": m.role, "content": m.text} for m in request.messages], tokenize=False, add_generation_prompt=True
        )
        for request in asked
    ]
    end, total = model.generation_config.eos_token_id, 0
    started = time.perf_counter()
    for at in range(0, len(texts), BATCH):
        batch = tokenizer(texts[at : at + BATCH], return_tensors="pt", padding=True)
        with torch.inference_mode():
            written = model.generate(**batch, max_new_tokens=MOST_TOKENS, do_sample=False)[
                :, batch["input_ids"].shape[1] :
            ]
        ends = (written == end).int()
        lengths = torch.where(ends.any(1), ends.argmax(1) + 1, written.shape[1])
        total += int(lengths.sum())
    return total, time.perf_counter() - started


def measure(count: int, runs: int) -> dict[str, float]:
    """Medians of interleaved runs after a warm-up of each."""
    import torch

    torch.set_num_threads(1)
    asked = requests(count)
    engine = HfTransformersEngine(HfTransformersSettings(device="cpu", dtype="float32", batch_size=BATCH, threads=1))
    try:
        ours(engine, asked[:BATCH]), floor(asked[:BATCH])
        pairs = [(ours(engine, asked), floor(asked)) for _ in range(runs)]
    finally:
        engine.close()
    rates = [(mine[0] / mine[1], theirs[0] / theirs[1]) for mine, theirs in pairs]
    return {
        "ours_tokens_per_s": round(statistics.median(rate for rate, _ in rates), 1),
        "floor_tokens_per_s": round(statistics.median(rate for _, rate in rates), 1),
        "throughput_ratio": round(statistics.median(mine / theirs for mine, theirs in rates), 3),
    }


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.requests, arguments.runs)
    if arguments.json:
        print(json.dumps(figures))
    else:
        mine, theirs = figures["ours_tokens_per_s"], figures["floor_tokens_per_s"]
        print(f"ours {mine} tokens/s, generate {theirs} tokens/s: {figures['throughput_ratio']}x")


if __name__ == "__main__":
    main()
