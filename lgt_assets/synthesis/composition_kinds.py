"""Which kinds of composition a group of questions allows, and the choice of groups. Pure rules, seeded by the picture.

Kinds: *bridge*, one answer is what another question is about; *compare*, the answers are held against each other;
*intersect*, several answers must hold at once; *aggregate*, numbers are added up; *conditional*, one answer decides which
other question counts.
"""

import itertools
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from lgt_assets.row_model import COMPOSITION_KINDS
from lgt_assets.synthesis.plain_text import plain

KindsRule = Callable[[list[dict]], list[str]]
_NUMBER_WORDS = "no none zero one two three four five six seven eight nine ten eleven twelve".split()
_NUMBER = re.compile(rf"\d+|{'|'.join(_NUMBER_WORDS)}")
_GENERIC = {"yes", "no", "true", "false", "both", "neither", "none"}
_GROUPS_LOOKED_AT = 600


def answer_of(question: dict) -> str:
    """Text of a question's right choice."""
    return question["choices"][question["answer_index"]]


def kinds_from_answers(parents: list[dict]) -> list[str]:
    """The kinds that rows of ``seed_questions`` allow, by their types, objects and answers; in a fixed order.

    * bridge: the answer of one parent stands, on whole words, in the question of another, or two parents are about one object;
    * aggregate: all answers are numbers;
    * compare: all parents have one type, or all answers are numbers;
    * intersect: the parents are about different objects or have different types;
    * conditional: always.
    """
    kinds = []
    numbers = all(_NUMBER.fullmatch(plain(answer_of(parent))) for parent in parents)
    if any(_leads_to(first, second) for first, second in itertools.permutations(parents, 2)):
        kinds.append("bridge")
    if numbers or len({parent["question_type"] for parent in parents}) == 1:
        kinds.append("compare")
    if differ(parents):
        kinds.append("intersect")
    if numbers:
        kinds.append("aggregate")
    return [*kinds, "conditional"]


def kinds_from_scene_grammar(parents: list[dict]) -> list[str]:
    """The kinds that the embedded model's composer was trained on; none for questions that are not of its grammar."""
    from lgt_assets.embedded.grammar import composition_kinds

    return composition_kinds([(parent["question"], answer_of(parent)) for parent in parents])


RULES: dict[str, KindsRule] = {"answers": kinds_from_answers, "scene_grammar": kinds_from_scene_grammar}


def differ(parents: list[dict]) -> bool:
    """Whether any two of the parents differ in objects or in type."""
    return all(
        set(first["object_ids"]) != set(second["object_ids"]) or first["question_type"] != second["question_type"]
        for first, second in itertools.combinations(parents, 2)
    )


def differ_in_both(parents: list[dict]) -> bool:
    """Whether any two of the parents share neither an object nor a type."""
    return all(
        not set(first["object_ids"]) & set(second["object_ids"]) and first["question_type"] != second["question_type"]
        for first, second in itertools.combinations(parents, 2)
    )


def _leads_to(first: dict, second: dict) -> bool:
    if set(first["object_ids"]) & set(second["object_ids"]):
        return True
    answer = plain(answer_of(first))
    if len(answer) < 3 or answer in _GENERIC or _NUMBER.fullmatch(answer):
        return False
    return re.search(rf"(?<![\w-]){re.escape(answer)}(?![\w-])", second["question"].casefold()) is not None


def choose_groups(
    questions: list[dict], count: int, largest: int, rule: KindsRule, generator: random.Random
) -> list[tuple[str, list[dict]]]:
    """``count`` (kind, parents) of one picture's questions, or as many as there are: kinds take turns, no group comes twice.

    Parents of a group differ pairwise in objects or type. Among the groups that allow a kind, of a size drawn evenly from
    those there are, the ones whose questions were used least come first, then those that differ in objects and types both.

    Args:
        questions: one picture's rows of ``seed_questions``.
        count: how many groups are wanted.
        largest: most parents in a group; groups have 2 to ``largest``.
        rule: the kinds that parents allow.
        generator: seeded by the picture.
    """
    open_groups = [_Group(parents, frozenset(rule(parents))) for parents in _groups(questions, largest, generator)]
    open_groups = [group for group in open_groups if group.kinds]
    kinds = generator.sample(COMPOSITION_KINDS, len(COMPOSITION_KINDS))
    used: Counter[str] = Counter()
    chosen: list[tuple[str, list[dict]]] = []
    for kind in itertools.cycle(kinds):
        if len(chosen) >= count or not open_groups:
            break
        allowing = [group for group in open_groups if kind in group.kinds]
        if not allowing:
            continue
        size = generator.choice(sorted({len(group.parents) for group in allowing}))
        candidates = [group for group in allowing if len(group.parents) == size]
        group = min(candidates, key=lambda group: (group.use(used), not differ_in_both(group.parents)))
        open_groups.remove(group)
        used.update(row["question_id"] for row in group.parents)
        chosen.append((kind, group.parents))
    return chosen


@dataclass(frozen=True, eq=False)
class _Group:
    """Parents in the order in which they are shown, and the kinds they allow."""

    parents: list[dict]
    kinds: frozenset[str]

    def use(self, used: Counter[str]) -> int:
        """How often its questions were used."""
        return sum(used[row["question_id"]] for row in self.parents)


def _groups(questions: list[dict], largest: int, generator: random.Random) -> list[list[dict]]:
    """Groups of 2 to ``largest`` questions that differ, each in a drawn order; a large picture's are sampled."""
    found = []
    for size in range(2, min(largest, len(questions)) + 1):
        if math.comb(len(questions), size) <= _GROUPS_LOOKED_AT:
            chosen = list(itertools.combinations(questions, size))
        else:
            drawn = {tuple(sorted(generator.sample(range(len(questions)), size))) for _ in range(_GROUPS_LOOKED_AT)}
            chosen = [tuple(questions[index] for index in indices) for indices in sorted(drawn)]
        generator.shuffle(chosen)
        found += [generator.sample(group, size) for group in chosen if differ(list(group))]
    return found
