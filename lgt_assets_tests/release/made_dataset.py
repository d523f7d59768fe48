"""Tables of a small dataset on real pictures: three pictures in two shards, questions on them, and all that is made of these."""

import hashlib
from pathlib import Path

from lgt_assets.embedded.scenes import generate_scene, render
from lgt_assets.identity import image_id as image_id_of
from lgt_assets.identity import row_id
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import made_rows
from lgt_assets_tests.rows import image_row, object_row, question_row

SHARDS = ("made-00000", "made-00001")
UMBRELLA = "What color is the umbrella that the woman next to the yellow taxi holds?"
KITE = "What shape is the kite that the boy behind the wooden fence flies today?"
# (shard, picture, question): picture 2 is in the second shard.
QUESTIONS = [
    (0, 0, UMBRELLA),
    (0, 0, KITE),
    (0, 1, "How many geese swim on the pond?"),
    (1, 2, "Who is first in the line?"),
]


def write_dataset(store: DeltaStore, folder: Path, questions: list[tuple[int, int, str]] = QUESTIONS) -> list[dict]:
    """Write all tables that a release reads, and those that their rows name; the pictures' rows."""
    folder.mkdir(parents=True, exist_ok=True)
    images = [_image(folder, number) for number in range(3)]
    tables: dict[str, list[dict]] = {"images": images}
    for shard, picture, text in questions:
        # A picture asked about in another shard lies there as well, as one that came with two sources does.
        image = _image(folder, picture, SHARDS[shard])
        if image not in tables["images"]:
            tables["images"].append(image)
        number, box = len(tables.setdefault("seed_questions", [])), object_row(image)
        if box not in tables.setdefault("grounded_objects", []):
            tables["grounded_objects"].append(box)
        question = question_row(image, [box], number, question=text)
        tables["seed_questions"].append(question)
        _add_datasets(tables, question, 1)
    first, second, *_ = tables["seed_questions"]
    composed = made_rows()["composed_questions"][0] | {
        "image_id": first["image_id"], "parent_question_ids": [first["question_id"], second["question_id"]],
        "object_ids": first["object_ids"],
        "question": "What do both have?", "question_id": row_id("composed_questions", SHARDS[0], "of the first two"),
    }  # fmt: skip
    tables["composed_questions"] = [composed]
    _add_datasets(tables, composed, 2)
    for table, rows in tables.items():
        for shard in SHARDS:
            own = [row for row in rows if row["shard"] == shard]
            store.replace(table, frame(table, [row | {"ordinal": n} for n, row in enumerate(own)]), shard=shard)
    return images


def _image(folder: Path, number: int, shard: str | None = None) -> dict:
    shard = shard or SHARDS[number // 2]
    path = folder / f"{number}.png"
    if not path.exists():
        render(generate_scene(number)).save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return image_row(number, shard=shard, sha256=sha256, image_id=image_id_of(shard, sha256), uri=str(path))


def _add_datasets(tables: dict[str, list[dict]], question: dict, stage: int) -> None:
    shared = {"shard": question["shard"], "question_id": question["question_id"], "image_id": question["image_id"]}
    chains = [
        chain | shared | {"cot_id": row_id("distilled_cots", question["shard"], question["question_id"], number)}
        for number, chain in enumerate(made_rows()["distilled_cots"])
    ]
    tables.setdefault("distilled_cots", []).extend(chains)
    shared |= {"stage": stage, "images": [question["image_id"]]}
    right, wrong = (chain["cot_id"] for chain in chains)
    named = {
        "sft_mix": ("example_id", {"origin_id": right}),
        "preference_pairs": ("pair_id", {"chosen_id": right, "rejected_id": wrong}),
        "rl_prompts": ("prompt_id", {}),
    }
    for table, (key, ids) in named.items():
        own = {key: row_id(table, question["shard"], question["question_id"])} | ids
        tables.setdefault(table, []).append(made_rows()[table][0] | shared | own)
