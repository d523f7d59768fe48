"""What a parser makes of a completion: a value, or a typed reason why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rejected:
    """A text that gave no value: ``reason`` is a snake_case word that can be counted, ``raw`` the text as it came."""

    reason: str
    raw: str


@dataclass(frozen=True)
class ParsedQuestion:
    """A multiple-choice question as its writer wrote it.

    Attributes:
        question: the question without its choices, on one line.
        choices: two or more distinct choices without their letters, in the writer's order.
        answer_index: index of the writer's key among ``choices``.
        question_type: the type the writer named; empty where it named none.
    """

    question: str
    choices: list[str]
    answer_index: int
    question_type: str


@dataclass(frozen=True)
class ParsedTrace:
    """A chain of thought with its answer.

    Attributes:
        thought: text of the thought without tags, its own spacing kept inside.
        answer: text of the answer, without tags.
        answer_index: the choice that the answer names; None only where there are no choices (a free answer).
    """

    thought: str
    answer: str
    answer_index: int | None
