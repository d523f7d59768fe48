"""Tables of a dataset as the graph makes them, on rendered scenes: examples, pairs and prompts of both stages and both splits.

Some are long, and one question has texts that files and templates stumble over. No model: thoughts come from the grammar of
the scenes.
"""

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import polars as pl

from lgt_assets.assets.release_making import kept_release
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, resolve
from lgt_assets.embedded.sampling import composed_ask, seed_ask
from lgt_assets.embedded.scenes import Scene, generate_scene, render
from lgt_assets.embedded.slips import vlm_thought
from lgt_assets.embedded.thoughts import choices_for
from lgt_assets.embedded.wordings import Ask, phrase
from lgt_assets.identity import image_id as image_id_of
from lgt_assets.identity import random_of, row_id
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.mix import build_mix
from lgt_assets.synthesis.pair import build_pairs
from lgt_assets.synthesis.rl import build_prompts
from lgt_assets.synthesis.shown import Shown, show
from lgt_assets_tests.made_tables import made_rows
from lgt_assets_tests.rows import image_row, object_row, question_row
from lgt_assets_tests.synthesis.made import PROMPTS, profile

DATASETS = ("sft_mix", "preference_pairs", "rl_prompts")
SHARDS = ("made-00000", "made-00001")
PICTURES = 10
VALIDATION = (4, 9)
AWKWARD_PICTURE = 2
TEXT_ONLY_PICTURE = (
    3  # all that is asked about it is asked without it: the graph makes no such rows, and formats must hold them
)
AWKWARD = (
    'He asked: "What\'s \\"left\\" of it?"\n\n\tПривет, 漢字 🙂 \\n {{ x }} {% y %} <b>&amp;</b> 5 < 6 é\u2028— $z$'
)
# Words of a long thought: more tokens than TRL's default of 1,024, and fewer than the embedded model's context of 2,048.
LONG_WORDS = 900
CUE = "Wait,"
MADE = profile()


def made_release(state: Path) -> tuple[DeltaStore, str]:
    """A state folder with the examples, and a release of them: its tables, and the release's id."""
    store = DeltaStore(str(state / "tables"))
    write_examples(store, state / "pictures")
    kept = kept_release(store, MADE, SHARDS, root=state / "releases", code_version="made")
    return store, kept.row["release_id"]


def write_examples(store: DeltaStore, folder: Path) -> None:
    """Write all tables that a release reads, and those that their rows name; pictures lie in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in SHARDS:
        tables = _shard(shard, folder)
        questions = [frame(name, tables[name]) for name in ("seed_questions", "composed_questions")]
        common = [name for name in questions[0].columns if name in questions[1].columns]
        asked = pl.concat([one.select(common) for one in questions])
        cots, traces = (frame(name, tables[name]) for name in ("distilled_cots", "expanded_traces"))
        made = {"profile": MADE, "prompts": PROMPTS}
        tables["sft_mix"] = build_mix(shard, asked, cots, traces, **made).rows
        tables["preference_pairs"] = build_pairs(shard, asked, cots, traces, **made).rows
        tables["rl_prompts"] = build_prompts(shard, asked, cots, **made).rows
        for name in DATASETS:
            without = {row["image_id"] for row in tables["images"] if row["ordinal"] == TEXT_ONLY_PICTURE}
            tables[name] = [row | ({"images": []} if row["image_id"] in without else {}) for row in tables[name]]
        for table, rows in tables.items():
            store.replace(table, frame(table, [row | {"ordinal": n} for n, row in enumerate(rows)]), shard=shard)


def _shard(shard: str, folder: Path) -> dict[str, list[dict]]:
    tables: dict[str, list[dict]] = {name: [] for name in made_rows() if name not in DATASETS}
    for number in range(SHARDS.index(shard), PICTURES, len(SHARDS)):
        scene = generate_scene(number)
        image = _image(shard, number, scene, folder)
        box = object_row(image)
        generator = random_of("made examples", number)
        parents = [seed_ask(kind, scene, generator) for kind in ("Recognition", "Counting")]
        seeds = [_question(image, box, scene, ask, place, generator) for place, ask in enumerate(parents)]
        composed = _question(image, box, scene, _composed(scene, number, generator), 2, generator)
        tables["images"].append(image)
        tables["grounded_objects"].append(box)
        tables["seed_questions"] += [question for question, _ in seeds]
        tables["composed_questions"].append(_as_composed(composed[0], [question for question, _ in seeds]))
        for question, ask in (seeds[0], composed):
            _add_thoughts(tables, question, ask, scene, number)
    return tables


def _image(shard: str, number: int, scene: Scene, folder: Path) -> dict:
    path = folder / f"{number}.png"
    render(scene).save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    width, height = render(scene).size
    return image_row(
        number, shard=shard, sha256=sha256, image_id=image_id_of(shard, sha256), uri=str(path), width=width, height=height,
        split="validation" if number in VALIDATION else "train",
    )  # fmt: skip


def _composed(scene: Scene, number: int, generator: random.Random) -> Ask:
    return composed_ask(COMPOSITION_KINDS[number % len(COMPOSITION_KINDS)], scene, generator)[1]


def _question(image: dict, box: dict, scene: Scene, ask: Ask, place: int, generator: random.Random) -> tuple[dict, Ask]:
    answer = resolve(ask, scene)
    choices = choices_for(ask, answer, scene, generator)
    text = phrase(ask, generator)
    if image["ordinal"] == AWKWARD_PICTURE and place != 1:
        text = f"{AWKWARD} {text}"
    row = question_row(image, [box], place, question=text, choices=choices, answer_index=choices.index(answer))
    return row, ask


def _as_composed(question: dict, parents: list[dict]) -> dict:
    own = ("image_id", "object_ids", "question", "choices", "answer_index", "question_id", "shard")
    return made_rows()["composed_questions"][0] | {name: question[name] for name in own} | {
        "parent_question_ids": [parent["question_id"] for parent in parents], "question_type": "Multi-hop"
    }  # fmt: skip


def _add_thoughts(tables: dict[str, list[dict]], question: dict, ask: Ask, scene: Scene, number: int) -> None:
    """One right and one wrong simple thought, each continued to a right one, the first at length for every other picture."""
    hops = 2 if question["question_id"] in {row["question_id"] for row in tables["composed_questions"]} else 1
    shown = show(question | {"hops": hops}, MADE.distill.answer_formats)
    wrong = (shown.right_index + 1) % len(shown.choices)
    lead = f"{AWKWARD}\n" if AWKWARD in question["question"] else ""
    for sample, index in enumerate((shown.right_index, wrong)):
        thought = lead + vlm_thought(ask, scene, scene, list(shown.choices), shown.choices[index])
        cot = _thought("distilled_cots", "cot_id", question, shown, index, thought, sample) | {
            "choices_shown": list(shown.choices), "right_index": shown.right_index, "answer_format": shown.answer_format,
            "is_correct": index == shown.right_index,
        }  # fmt: skip
        again = f"Let me look again. {vlm_thought(ask, scene, scene, list(shown.choices), shown.choices[shown.right_index])}"
        long = sample == 0 and number % 2 == 0
        added = " ".join([again] * (LONG_WORDS // len(again.split()) if long else 1))
        trace = _thought(
            "expanded_traces", "trace_id", question, shown, shown.right_index, f"{thought} {CUE} {added}", sample
        )
        transition = "OO" if cot["is_correct"] else "XO"
        trace |= {
            "cot_id": cot["cot_id"],
            "cue": CUE,
            "added_thought": added,
            "is_correct": True,
            "transition": transition,
        }
        tables["distilled_cots"].append(cot)
        tables["expanded_traces"].append(trace)


def _thought(table: str, key: str, question: dict, shown: Shown, index: int, thought: str, sample: int) -> dict:
    answer = replace(shown, right_index=index).right_answer
    return made_rows()[table][0] | {
        "shard": question["shard"], "image_id": question["image_id"], "question_id": question["question_id"],
        key: row_id(table, question["shard"], question["question_id"], sample), "sample_index": sample, "thought": thought,
        "answer": answer, "answer_index": index,
    }  # fmt: skip
