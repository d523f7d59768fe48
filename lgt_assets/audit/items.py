"""A row to be judged with all that it takes to judge it: picture, boxes, question with its key, and the texts in question."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from lgt_assets.identity import parse_row_id
from lgt_assets.lineage import KEYS
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.answers import LETTERS
from lgt_assets.synthesis.facts import by_key
from lgt_assets.validation import QUESTION_TABLES


@dataclass(frozen=True)
class Choice:
    """One choice as the row shows it."""

    letter: str
    text: str
    is_key: bool


@dataclass(frozen=True)
class Item:
    """One row: ``image`` is its row of ``images``; ``boxes`` rows of ``grounded_objects``, those in ``focus`` asked about."""

    row_id: str
    image: dict
    boxes: tuple[dict, ...]
    focus: frozenset[str]
    question: str
    question_type: str
    choices: tuple[Choice, ...]
    texts: tuple[tuple[str, str], ...]


def read_items(store: DeltaStore, table: str, row_ids: list[str]) -> list[Item]:
    """Items of the rows, in the order given; only their shards are opened."""
    by_shard: dict[str, list[str]] = {}
    for row_id in row_ids:
        by_shard.setdefault(parse_row_id(row_id).shard, []).append(row_id)
    items = {
        item.row_id: item
        for shard, own in sorted(by_shard.items())
        for item in _items_of_shard(store, table, shard, own)
    }
    return [items[row_id] for row_id in row_ids]


def _items_of_shard(store: DeltaStore, table: str, shard: str, row_ids: list[str]) -> Iterator[Item]:
    rows = _rows(store, table, shard, KEYS[table], row_ids)
    image_ids = [row["image_id"] for row in rows]
    question_ids = [row["question_id"] for row in rows]
    images = {row["image_id"]: row for row in _rows(store, "images", shard, "image_id", image_ids)}
    objects = by_key(_rows(store, "grounded_objects", shard, "image_id", image_ids), "image_id")
    questions = {
        row["question_id"]: row
        for name in QUESTION_TABLES
        for row in _rows(store, name, shard, "question_id", question_ids)
    }
    parents = {row["question_id"]: row for row in _parents(store, shard, questions)}
    # All samples of a question are shown alike.
    shown = {row["question_id"]: row for row in _rows(store, "distilled_cots", shard, "question_id", question_ids)}
    for row in rows:
        question = questions[row["question_id"]]
        own_order = table in QUESTION_TABLES or row["question_id"] not in shown
        yield Item(
            row[KEYS[table]], images[row["image_id"]], tuple(objects.get(row["image_id"], ())),
            frozenset(question["object_ids"]), question["question"], question["question_type"],
            _choices(question["choices"], question["answer_index"]) if own_order
            else _choices(shown[row["question_id"]]["choices_shown"], shown[row["question_id"]]["right_index"]),
            tuple(_texts(table, row, parents)),
        )  # fmt: skip


def _rows(store: DeltaStore, table: str, shard: str, key: str, values: list[str]) -> list[dict]:
    return store.scan(table, shards=[shard]).filter(pl.col(key).is_in(values)).collect().to_dicts()


def _parents(store: DeltaStore, shard: str, questions: dict[str, dict]) -> list[dict]:
    wanted = [parent for row in questions.values() for parent in row.get("parent_question_ids") or ()]
    return _rows(store, "seed_questions", shard, "question_id", wanted) if wanted else []


def _choices(texts: list[str], key: int) -> tuple[Choice, ...]:
    return tuple(Choice(LETTERS[index], text, index == key) for index, text in enumerate(texts))


def _texts(table: str, row: dict, parents: dict[str, dict]) -> Iterator[tuple[str, str]]:
    """(heading, text) of what is to be judged."""
    if table == "composed_questions":
        for parent in (parents[name] for name in row["parent_question_ids"] if name in parents):
            yield f"Composed of ({row['composition_kind']})", _with_answer(parent)
    elif table == "distilled_cots":
        yield from (("Thought", row["thought"]), ("Answer", row["answer"]))
    elif table == "expanded_traces":
        yield "Thought", row["thought"].removesuffix(row["added_thought"])
        yield from (("Added by the reasoner", row["added_thought"]), ("Answer", row["answer"]))
    elif table == "preference_pairs":
        yield from ((f"Chosen ({row['kind']})", row["chosen"]), ("Rejected", row["rejected"]))


def _with_answer(question: dict) -> str:
    return f"{question['question']} {question['choices'][question['answer_index']]}"
