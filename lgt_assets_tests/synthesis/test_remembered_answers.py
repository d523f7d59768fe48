"""What the verifier remembers is bounded, however many runs a process makes."""

import gc
import sys
from itertools import islice, permutations

from lgt_assets.synthesis.answers import judge_answer

THINGS = [
    f"the {color} {thing}"
    for color in ("red", "blue", "green", "white")
    for thing in ("hat", "mug", "bench", "lamp", "boat")
]
QUESTIONS = 9000  # more than are remembered


def test_verdicts_of_earlier_questions_are_forgotten():
    menus = permutations(THINGS, 4)  # each has its own choices, and an answer in a form that is remembered
    held = []
    for _ in range(2):
        assert all(judge_answer(f"It is {menu[0]}", menu) == 0 for menu in islice(menus, QUESTIONS))
        gc.collect()
        held.append(sys.getallocatedblocks())
    assert held[1] - held[0] < QUESTIONS / 10
