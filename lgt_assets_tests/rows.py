"""Hand-made rows of every table, for tests that need some; each builder takes what matters and fills in the rest."""

from lgt_assets.identity import digest, image_id, row_id

SHARD = "made-00000"


def image_row(number: int = 0, *, shard: str = SHARD, **changes: object) -> dict:
    sha256 = digest("picture", number)
    return {
        "shard": shard, "ordinal": number, "image_id": image_id(shard, sha256), "source": "made", "uri": f"/nowhere/{number}.png",
        "sha256": sha256, "external_id": None, "width": 100, "height": 80, "caption": "A red ball on grass.",
        "caption_source": "human", "request_key": None, "license": "CC0", "attribution": None, "split": "train",
    } | changes  # fmt: skip


def object_row(image: dict, number: int = 0, **changes: object) -> dict:
    return {
        "shard": image["shard"], "ordinal": number,
        "object_id": row_id("grounded_objects", image["shard"], image["image_id"], number), "image_id": image["image_id"],
        "label": "ball", "phrase": "red ball", "x0": 1.0, "y0": 2.0, "x1": 30.0, "y1": 40.0, "score": 1.0, "box_source": "human",
        "request_key": None,
    } | changes  # fmt: skip


def question_row(image: dict, objects: list[dict], number: int = 0, **changes: object) -> dict:
    return {
        "shard": image["shard"], "ordinal": number,
        "question_id": row_id("seed_questions", image["shard"], image["image_id"], number), "image_id": image["image_id"],
        "object_ids": [o["object_id"] for o in objects], "question": "What colour is the ball?",
        "choices": ["red", "green", "blue", "black"], "answer_index": 0, "question_type": "Recognition", "hops": 1,
        "request_key": digest("request", number), "focus": "one_object", "key_agreement": None, "blindness": None, "votes": [],
    } | changes  # fmt: skip
