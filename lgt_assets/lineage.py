"""One row with its ancestors and descendants: read from the tables of its shard alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from lgt_assets.errors import NotFoundError
from lgt_assets.identity import LETTER_BY_TABLE, parse_row_id
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import REFERENCES, Reference

_TRACES = ("distilled_cots", "expanded_traces")
_ORIGINS = ("seed_questions", "composed_questions", *_TRACES)
# Columns that name rows of several tables, which the blocking checks leave to the code that writes them.
FURTHER_REFERENCES: dict[str, tuple[Reference, ...]] = {
    "preference_pairs": (Reference("chosen_id", _TRACES, ""), Reference("rejected_id", _TRACES, "")),
    "sft_mix": (Reference("origin_id", _ORIGINS, ""),),
    "rejections": (Reference("parent_id", tuple(LETTER_BY_TABLE), ""),),
}
KEYS = {
    "images": "image_id", "grounded_objects": "object_id", "seed_questions": "question_id",
    "composed_questions": "question_id", "distilled_cots": "cot_id", "expanded_traces": "trace_id",
    "preference_pairs": "pair_id", "sft_mix": "example_id", "rl_prompts": "prompt_id", "rejections": "rejection_id",
}  # fmt: skip
# What is said of a row in one line.
LABELS = {
    "images": ("caption",), "grounded_objects": ("phrase", "x0", "y0", "x1", "y1"), "seed_questions": ("question",),
    "composed_questions": ("question",), "distilled_cots": ("answer", "is_correct"),
    "expanded_traces": ("cue", "answer", "transition"), "preference_pairs": ("kind",), "sft_mix": ("recipe", "stage"),
    "rl_prompts": ("difficulty", "pass_rate"),
    "rejections": ("asset", "reason"),
}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A row as a line of a tree: id, table, and a few of its values."""

    row_id: str
    table: str
    values: dict[str, object]


@dataclass
class Family:
    """All rows of one shard by id, with who was made from whom."""

    members: dict[str, Member] = field(default_factory=dict)
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Ids made directly from each id, in data order."""
        made: dict[str, list[str]] = {}
        for row_id in self.members:
            for parent in self.parents(row_id):
                made.setdefault(parent, []).append(row_id)
        return made

    def parents(self, row_id: str) -> list[str]:
        """Ids the row was made from directly: of those it names, the ones that no other of them descends from."""
        named = self.named.get(row_id, ())
        above = {ancestor for parent in named for ancestor in self.ancestors(parent)}
        return [parent for parent in named if parent not in above]

    def ancestors(self, row_id: str) -> set[str]:
        """All ids above ``row_id``."""
        found: set[str] = set()
        waiting = list(self.named.get(row_id, ()))
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting += self.named.get(parent, ())
        return found


def read_family(store: DeltaStore, shard: str) -> Family:
    """Who was made from whom in ``shard``; no other shard's files are opened."""
    family = Family()
    for table, key in KEYS.items():
        references = (*REFERENCES.get(table, ()), *FURTHER_REFERENCES.get(table, ()))
        columns = list(dict.fromkeys([key, *LABELS[table], *(reference.column for reference in references)]))
        rows = store.scan(table, shards=[shard]).select(columns).collect()
        for row in rows.iter_rows(named=True):
            family.members[row[key]] = Member(row[key], table, {name: row[name] for name in LABELS[table]})
            family.named[row[key]] = tuple(dict.fromkeys(_named(row, references)))
    return family


def _named(row: dict, references: Iterable[Reference]) -> Iterator[str]:
    for reference in references:
        value = row[reference.column]
        if reference.is_list:
            yield from value or ()
        elif value is not None:
            yield value


def read_row(store: DeltaStore, row_id: str) -> dict:
    """The row with this id, all columns.

    Raises:
        NotFoundError: the text is no id, or there is no such row.
    """
    parsed = parse_row_id(row_id)
    rows = store.scan(parsed.table, shards=[parsed.shard]).filter(pl.col(KEYS[parsed.table]) == row_id).collect()
    if rows.is_empty():
        held = store.shards(parsed.table)
        hint = "" if parsed.shard in held else f"; shards with rows there: {', '.join(held[:20]) or 'none yet'}"
        raise NotFoundError(f"{parsed.table} has no row {row_id}{hint}")
    return rows.row(0, named=True)


def read_generation(store: DeltaStore, shard: str, request_key: str) -> dict | None:
    """The completion that a row was parsed from, or None for a row that no model wrote."""
    rows = store.scan("generations", shards=[shard]).filter(pl.col("request_key") == request_key).collect()
    return None if rows.is_empty() else rows.row(0, named=True)
