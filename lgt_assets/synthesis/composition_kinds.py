"""Which kinds of composition a group of questions allows, and the choice of groups. Pure rules, seeded by the picture.

Kinds: *bridge*, one answer is what another question is about; *compare*, the answers are held against each other;
*intersect*, several answers must hold at once; *aggregate*, numbers are added up; *conditional*, one answer decides which
other question counts.
"""

import itertools
import random
import re
from collections.abc import Callable

from lgt_assets.row_model import COMPOSITION_KINDS
from lgt_assets.synthesis.plain_text import plain

KindsRule = Callable[[list[dict]], list[str]]
_NUMBER_WORDS = "no none zero one two three four five six seven eight nine ten eleven twelve".split()
_NUMBER = re.compile(rf"\d+|{'|'.join(_NUMBER_WORDS)}")
_GENERIC = {"yes", "no", "true", "false", "both", "neither", "none"}
_PAIRS_LOOKED_AT = 600


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

    Among the groups that allow a kind, those whose questions were used least come first.

    Args:
        questions: one picture's rows of ``seed_questions``.
        count: how many groups are wanted.
        largest: most parents in a group; groups have 2 to ``largest``.
        rule: the kinds that parents allow.
        generator: seeded by the picture.
    """
    pairs = list(itertools.combinations(questions, 2))
    generator.shuffle(pairs)
    open_pairs = [[list(pair), rule(list(pair))] for pair in pairs[:_PAIRS_LOOKED_AT] if differ(list(pair))]
    for pair, _ in open_pairs:
        generator.shuffle(pair)
    kinds = generator.sample(COMPOSITION_KINDS, len(COMPOSITION_KINDS))
    used: dict[str, int] = {}
    seen: set[frozenset[str]] = set()
    chosen: list[tuple[str, list[dict]]] = []
    turn = 0
    while len(chosen) < count:
        left = [kind for kind in kinds if any(kind in allowed for _, allowed in open_pairs)]
        if not left:
            break
        while kinds[turn % len(kinds)] not in left:
            turn += 1
        kind = kinds[turn % len(kinds)]
        turn += 1
        candidates = [entry for entry in open_pairs if kind in entry[1]]
        entry = min(candidates, key=lambda entry: sum(used.get(row["question_id"], 0) for row in entry[0]))
        open_pairs.remove(entry)
        parents = _extend(entry[0], kind, questions, generator.randint(2, largest), rule, generator)
        parents = parents if _ids(parents) not in seen else entry[0]
        seen.add(_ids(parents))
        for row in parents:
            used[row["question_id"]] = used.get(row["question_id"], 0) + 1
        chosen.append((kind, parents))
    return chosen


def _ids(parents: list[dict]) -> frozenset[str]:
    return frozenset(row["question_id"] for row in parents)


def _extend(
    pair: list[dict], kind: str, questions: list[dict], size: int, rule: KindsRule, generator: random.Random
) -> list[dict]:
    """The pair with more parents, up to ``size``, as long as the whole group allows the kind."""
    parents = list(pair)
    for row in generator.sample(questions, len(questions)):
        if len(parents) >= size:
            break
        larger = [*parents, row]
        if row not in parents and differ(larger) and kind in rule(larger):
            parents = larger
    return parents
