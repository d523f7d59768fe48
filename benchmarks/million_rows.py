"""Delta tables of a million made rows over 256 shards, for `benchmarks.show`.

The rows' proportions and sizes are those of the paper's rates: 6 seed questions of a picture and 2 composed, 10 chains of each,
6 expansions, votes. Most shards of a table are written by one commit, the last ones one by one through DeltaStore, as assets do:
the log has a checkpoint and commits after it. One more shard, `large-00000`, has 4,000 questions, as shards of 64 pictures have
at the paper's rates; that is the slow case. The last commit writes its traces again, with some gone, some new and some changed.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path

import polars as pl

SHARDS, LARGE = 256, "large-00000"
SINGLE_COMMITS = 8  # shards that DeltaStore writes one by one
LARGE_PICTURES, LARGE_SEEDS, TRACES, LARGE_TRACES = 64, 46, 6, 24
WORDS = (
    "the a this that shape near beside above below left right large small round long pale dark first second other edge side "
    "corner part whole seems looks stands lies leans turns between behind under over toward from with and but then because"
).split()
WORD_OF_DIGIT = [WORDS[digit % len(WORDS)] for digit in range(256)]


def text(name: str, characters: int) -> str:
    """Words that only ``name`` has; they compress as text does, not as one repeated sentence."""
    digits = hashlib.shake_256(name.encode()).digest(characters // 6 + 1)
    return " ".join(map(WORD_OF_DIGIT.__getitem__, digits))


def key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def picture_rows(shard: str, number: int, seeds: int, traces: int, picture: Path) -> Iterator[tuple[str, str, dict]]:
    """(table, asset, row) of all that is made of one picture; the ordinal comes later."""
    from lgt_assets.identity import row_id

    def made(table: str, *parts: object) -> str:
        return row_id(table, shard, number, *parts)

    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest() if number == 0 else key(shard, number)
    image = f"i.{shard}.{sha256[:16]}"
    own = {"image_id": image}
    yield "images", "", own | {
        "source": "made", "uri": str(picture), "sha256": sha256, "external_id": None, "width": 240, "height": 240,
        "caption": text(image, 900), "caption_source": "human", "request_key": None, "license": "CC0", "attribution": None,
        "split": "train",
    }  # fmt: skip
    objects = [made("grounded_objects", n) for n in range(8)]
    for n, object_id in enumerate(objects):
        yield "grounded_objects", "", own | {
            "object_id": object_id, "label": "shape", "phrase": f"shape {n}", "x0": 10.0 * n, "y0": 5.0 * n, "x1": 10.0 * n + 40,
            "y1": 5.0 * n + 60, "score": 1.0, "box_source": "human",
        }  # fmt: skip
    asked: list[str] = []
    for n in range(seeds + seeds // 3):
        table = "seed_questions" if n < seeds else "composed_questions"
        question_id = made(table, n)
        parents = [asked[(n * 7) % seeds], asked[(n * 7 + 3) % seeds]] if n >= seeds else []
        votes = [
            (check, key(question_id, check, v)) for check, count in (("key", 1), ("blindness", 4)) for v in range(count)
        ]
        question = own | {
            "question_id": question_id, "object_ids": objects[n % 8 : n % 8 + 1], "question": text(question_id, 90),
            "choices": [text(f"{question_id} {c}", 20) for c in range(4)], "answer_index": n % 4, "question_type": "Recognition",
            "hops": 1 if n < seeds else 2, "request_key": key(question_id), "blindness": 0.25,
            "votes": [{"check": c, "withheld_id": None, "request_key": k, "answer_index": 1, "correct": False} for c, k in votes],
        }  # fmt: skip
        more = (
            {"focus": "one_object", "key_agreement": 1.0}
            if n < seeds
            else {
                "parent_question_ids": parents,
                "composition_kind": "bridge",
                "support": 1.0,
                "necessity": 1.0,
                "hardness": 0.1,
            }
        )
        yield table, "", question | more
        yield generation(table, "questioner", key(question_id), 2400, 500)
        yield from (generation(table, "verifier", k, 900, 20) for _, k in votes)
        asked.append(question_id)
        yield from answer_rows(made, own, question, stage=1 if n < seeds else 2, count=traces)


def answer_rows(made, own: dict, question: dict, *, stage: int, count: int) -> Iterator[tuple[str, str, dict]]:
    """Chains, expansions, pairs, examples and prompts of one question, and some rejections."""
    name = question["question_id"]
    of_question = own | {"question_id": name}
    counts = {"subgoal_setting": 1, "backtracking": 0, "verification": 0}
    chains = [made("distilled_cots", name, n) for n in range(10)]
    for n, cot in enumerate(chains):
        yield "distilled_cots", "", of_question | {
            "cot_id": cot, "sample_index": n, "choices_shown": question["choices"], "right_index": question["answer_index"],
            "answer_format": "letter", "thought": text(cot, 700), "answer": "(A)", "answer_index": n % 4,
            "is_correct": n % 4 == 0, "behaviours": counts, "request_key": key(cot),
        }  # fmt: skip
        yield generation("distilled_cots", "vlm", key(cot), 500, 760)
    traces = [made("expanded_traces", name, n) for n in range(count)]
    for n, trace in enumerate(traces):
        yield "expanded_traces", "", of_question | {
            "trace_id": trace, "cot_id": chains[n // 3 % 10], "cue": "Wait,", "sample_index": n % 3,
            "thought": text(chains[n // 3 % 10], 700)
            + " Wait, " + text(trace, 1100), "added_thought": text(trace, 1100), "answer": "(A)", "answer_index": 0,
            "is_correct": True, "transition": "OO", "behaviours": counts, "judged_behaviours": None, "consistency": 1.0,
            "votes": [], "request_key": key(trace),
        }  # fmt: skip
        yield generation("expanded_traces", "reasoner", key(trace), 1600, 1150)
    turn = {"role": "user", "content": question["question"]}
    data = of_question | {"stage": stage, "images": [own["image_id"]]}
    for n in range(2):
        yield "preference_pairs", "", data | {
            "pair_id": made("preference_pairs", name, n), "kind": "right_over_wrong", "prompt": [turn],
            "chosen": text(traces[n], 1100), "rejected": text(chains[n], 700), "chosen_id": traces[n], "rejected_id": chains[n],
            "chosen_characters": 1100, "rejected_characters": 700,
        }  # fmt: skip
    for n in range(4):
        answer = {"role": "assistant", "content": text(traces[n], 1100)}
        yield "sft_mix", "", data | {
            "example_id": made("sft_mix", name, n), "recipe": "long", "messages": [turn, answer], "origin_id": traces[n],
        }  # fmt: skip
    yield "rl_prompts", "", data | {
        "prompt_id": made("rl_prompts", name), "form": "choice", "messages": [turn], "choices_shown": question["choices"],
        "verification": "letter", "ground_truth": "A", "answer_text": "x", "pass_rate": 0.5, "pass_rate_low": 0.2,
        "pass_rate_high": 0.8, "samples": 10, "difficulty": "medium",
    }  # fmt: skip
    yield "rejections", "distilled_cots", {
        "rejection_id": made("rejections", name), "parent_id": name, "request_key": key(chains[0], "cut"), "reason": "cut_off",
        "detail": "", "raw": text(name, 700), "measures": [],
    }  # fmt: skip


def generation(asset: str, role: str, request_key: str, prompt: int, answer: int) -> tuple[str, str, dict]:
    """A completion with a prompt of that many characters."""
    turns = [
        {
            "role": "user",
            "text": text(f"{asset} {request_key[:1]}" if role == "vlm" else request_key, prompt),
            "images": [],
        }
    ]
    return "generations", asset, {
        "request_key": request_key, "role": role, "engine": "vllm_offline", "model": "Qwen/Qwen2.5-VL-7B-Instruct",
        "revision": "0" * 40, "template_hash": key(role), "prompt": json.dumps(turns), "prefix": "", "sampling": "{}", "seed": 1,
        "sample_index": 0, "text": text(request_key, answer), "finish_reason": "stop", "prompt_tokens": prompt // 4,
        "cached_tokens": 0, "completion_tokens": answer // 4, "seconds": 1.0,
    }  # fmt: skip


def shard_frames(
    shard: str, pictures: int, picture: Path, seeds: int = 6, traces: int = TRACES
) -> dict[tuple[str, str], pl.DataFrame]:
    """The rows of a shard by table and asset, as DeltaStore takes them; completions ordered by key, as they are stored."""
    from lgt_assets.schemas import frame

    rows: dict[tuple[str, str], list[dict]] = {}
    for number in range(pictures):
        for table, asset, row in picture_rows(shard, number, seeds, traces, picture):
            place = {"shard": shard} | ({"asset": asset} if asset else {})
            rows.setdefault((table, asset), []).append(row | place)
    for (table, _), own in rows.items():
        if table == "generations":
            own.sort(key=lambda row: row["request_key"])
        for ordinal, row in enumerate(own):
            row["ordinal"] = ordinal
    return {place: frame(place[0], own) for place, own in rows.items()}


def build(state: Path, rows: int) -> dict[str, int]:
    """Write the tables; rows by table. The log is what DeltaStore leaves, with fewer old commits."""
    from arro3.core import Table
    from deltalake import DeltaTable, write_deltalake
    from PIL import Image

    from lgt_assets.storage import FILE_BYTES, WRITER, DeltaStore

    picture = state / "picture.png"
    Image.effect_noise((240, 240), 90).convert("RGB").save(picture)
    store = DeltaStore(str(state / "tables"))
    sample = sum(frame.height for frame in shard_frames("made-00000", 1, picture).values())
    pictures = math.ceil(rows / SHARDS / sample)
    shards = [f"made-{number:05d}" for number in range(SHARDS)]
    total: dict[str, int] = {}
    for start in range(0, SHARDS - SINGLE_COMMITS, 62):
        batch: dict[str, list[pl.DataFrame]] = {}
        for shard in shards[: SHARDS - SINGLE_COMMITS][start : start + 62]:
            for (table, _), frame in shard_frames(shard, pictures, picture).items():
                batch.setdefault(table, []).append(frame)
        for table, frames in batch.items():
            store.create(table)
            together = pl.concat(frames)
            total[table] = total.get(table, 0) + together.height
            write_deltalake(
                store.uri(table),
                Table.from_arrow(together),
                mode="append",
                target_file_size=FILE_BYTES,
                writer_properties=WRITER,
            )
    for table in total:
        DeltaTable(store.uri(table)).create_checkpoint()
    for shard in [*shards[SHARDS - SINGLE_COMMITS :], LARGE]:
        large = shard == LARGE
        sizes = (LARGE_PICTURES, picture, LARGE_SEEDS, LARGE_TRACES) if large else (pictures, picture)
        frames = shard_frames(shard, *sizes)
        for (table, asset), frame in frames.items():
            store.replace(table, frame, shard=shard, asset=asset or None)
            if not large:
                total[table] += frame.height
    write_again(store)
    return total


def write_again(store) -> None:
    """The large shard's traces once more, so that two versions differ: of 20 in a row one is gone, one is new, one changed."""
    from lgt_assets.identity import row_id

    rows = store.read("expanded_traces", shards=[LARGE]).sort("ordinal")
    renamed = {name: row_id("expanded_traces", LARGE, name) for name in rows["trace_id"][1::20]}
    again = rows.gather([place for place in range(rows.height) if place % 20]).with_columns(
        pl.col("trace_id").replace(renamed),
        answer=pl.when(pl.col("ordinal") % 20 == 2).then(pl.lit("(B)")).otherwise("answer"),
    )
    store.replace("expanded_traces", again.with_columns(ordinal=pl.int_range(pl.len())), shard=LARGE)
