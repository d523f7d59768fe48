"""A small state with one row or two in every table, each made from the one before; no model, no Dagster."""

from pathlib import Path

from lgt_assets.identity import digest, row_id
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.rows import SHARD, image_row, object_row, question_row

HOSTILE = "[bold red]not markup[/] \x1b[2J\x07 <script>"


def made_id(table: str, number: int = 0) -> str:
    """Id of a made row."""
    return row_id(table, SHARD, "made", number)


def made_rows() -> dict[str, list[dict]]:
    """Rows by table."""
    image = image_row()
    box = object_row(image)
    seeds = [
        question_row(image, [box], n, question=f"Question {n}? {HOSTILE}", request_key=digest("seed", n))
        for n in range(2)
    ]
    shared = {"shard": SHARD, "image_id": image["image_id"]}
    composed = {name: value for name, value in seeds[0].items() if name not in ("focus", "key_agreement")} | {
        "ordinal": 0, "question_id": made_id("composed_questions"), "question": "Both?", "hops": 2,
        "parent_question_ids": [seed["question_id"] for seed in seeds], "composition_kind": "bridge", "support": 1.0,
        "necessity": None, "blindness": 0.0, "hardness": None, "votes": [], "request_key": digest("composed"),
    }  # fmt: skip
    question = {"question_id": composed["question_id"]} | shared
    cots = [
        question | {
            "ordinal": n, "cot_id": made_id("distilled_cots", n), "sample_index": n, "choices_shown": composed["choices"],
            "right_index": 0, "answer_format": "letter", "thought": "I look.", "answer": "(A)", "answer_index": n,
            "is_correct": n == 0, "request_key": digest("cot", n),
            "behaviours": {"subgoal_setting": 0, "backtracking": 0, "verification": 0},
        }
        for n in range(2)
    ]  # fmt: skip
    trace = question | {
        "ordinal": 0, "trace_id": made_id("expanded_traces"), "cot_id": cots[0]["cot_id"], "cue": "Wait,", "sample_index": 0,
        "thought": "I look. Wait, yes.", "added_thought": " yes.", "answer": "(A)", "answer_index": 0, "is_correct": True,
        "transition": "OO", "behaviours": {"subgoal_setting": 0, "backtracking": 1, "verification": 0},
        "judged_behaviours": None, "consistency": None, "votes": [], "request_key": digest("trace"),
    }  # fmt: skip
    turn = [{"role": "user", "content": "Both?"}]
    data = question | {"ordinal": 0, "stage": 2, "images": [image["image_id"]]}
    pair = data | {
        "pair_id": made_id("preference_pairs"), "kind": "right_over_wrong", "prompt": turn, "chosen": "a", "rejected": "b",
        "chosen_id": cots[0]["cot_id"], "rejected_id": cots[1]["cot_id"], "chosen_characters": 1, "rejected_characters": 1,
    }  # fmt: skip
    example = data | {
        "example_id": made_id("sft_mix"), "recipe": "long", "messages": turn, "origin_id": trace["trace_id"],
    }  # fmt: skip
    prompt = data | {
        "prompt_id": made_id("rl_prompts"), "messages": turn, "choices_shown": composed["choices"], "ground_truth": "A",
        "answer_text": "red", "pass_rate": 0.5, "samples": 2, "difficulty": "medium", "form": "choice",
        "verification": "letter", "pass_rate_low": 0.1, "pass_rate_high": 0.9,
    }  # fmt: skip
    return {
        "images": [image], "grounded_objects": [box], "seed_questions": seeds, "composed_questions": [composed],
        "distilled_cots": cots, "expanded_traces": [trace], "preference_pairs": [pair], "sft_mix": [example],
        "rl_prompts": [prompt],
    }  # fmt: skip


def rejection_row(asset: str, reason: str, number: int, *, parent_id: str | None = None) -> dict:
    """A made rejection."""
    return {
        "shard": SHARD, "ordinal": number, "rejection_id": row_id("rejections", SHARD, asset, reason, number), "asset": asset,
        "parent_id": parent_id, "request_key": None, "reason": reason, "detail": "", "raw": HOSTILE,
        "measures": [],
    }  # fmt: skip


def funnel_row(asset: str, *, shard: str = SHARD, seconds: float = 1.0, **changes: int) -> dict:
    """A made row of the funnel."""
    counts = dict.fromkeys(
        (
            "asked",
            "parsed",
            "accepted",
            "rejected",
            "requests_sent",
            "requests_reused",
            "requests_failed",
            "prompt_tokens",
            "cached_tokens",
            "completion_tokens",
        ),
        0,
    )
    times = {"device_seconds": 0.0, "seconds": seconds}
    return {"shard": shard, "ordinal": 0, "asset": asset} | times | counts | changes


def generation_row(asset: str, request_key: str, text: str) -> dict:
    """A made completion."""
    return {
        "shard": SHARD, "ordinal": 0, "request_key": request_key, "asset": asset, "role": "questioner", "engine": "scripted",
        "model": "made", "revision": "", "template_hash": "", "prompt": "[]", "prefix": "", "sampling": "{}", "seed": 1,
        "sample_index": 0, "text": text, "finish_reason": "stop", "prompt_tokens": 1, "cached_tokens": 0,
        "completion_tokens": 1, "seconds": 0.0,
    }  # fmt: skip


def write_made_tables(state: Path) -> DeltaStore:
    """Write everything below ``state``; its store."""
    store = DeltaStore(str(state / "tables"))
    rows = made_rows()
    for table, content in rows.items():
        store.replace(table, frame(table, content), shard=SHARD)
    question_id = rows["seed_questions"][0]["question_id"]
    reasons = enumerate(["cut_off", "cut_off", "no_answer"])
    rejected = [rejection_row("distilled_cots", reason, n, parent_id=question_id) for n, reason in reasons]
    store.replace("rejections", frame("rejections", rejected), shard=SHARD, asset="distilled_cots")
    for asset, asked, parsed in (("images", 3, 1), ("distilled_cots", 5, 3)):
        row = funnel_row(asset, asked=asked, parsed=parsed, requests_sent=asked)
        store.replace("funnel", frame("funnel", [row]), shard=SHARD, asset=asset)
    completion = generation_row("seed_questions", digest("seed", 0), HOSTILE)
    store.replace("generations", frame("generations", [completion]), shard=SHARD, asset="seed_questions")
    return store
