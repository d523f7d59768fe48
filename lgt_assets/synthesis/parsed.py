"""What a parser makes of a completion: a value, or a typed reason why there is none.

The reasons, which are counted, compared between runs and stored, and so never change their names:

===================== ==========================================================================================
``cut_off``           the text ends within a tag, a box, a thought or a field that is needed
``no_answer``         nothing is given as the answer
``answer_not_a_choice`` an answer that names none of the choices, or denies one
``several_answers``   an answer that names two choices, or a letter with another choice's text; keys that disagree
``empty_thought``     an answer without a thought
``no_question``       no question in the text, or a blank one
``no_choices``        a question without choices
``too_few_choices``   fewer than :data:`FEWEST_CHOICES`
``too_many_choices``  more than :data:`MOST_CHOICES`
``empty_choice``      a letter with nothing after it
``duplicate_choices`` two choices that are the same when compared as answers are
===================== ==========================================================================================
"""

from dataclasses import dataclass

CUT_OFF = "cut_off"
NO_ANSWER = "no_answer"
NOT_A_CHOICE = "answer_not_a_choice"
SEVERAL_ANSWERS = "several_answers"
EMPTY_THOUGHT = "empty_thought"
NO_QUESTION = "no_question"
NO_CHOICES = "no_choices"
TOO_FEW_CHOICES = "too_few_choices"
TOO_MANY_CHOICES = "too_many_choices"
EMPTY_CHOICE = "empty_choice"
DUPLICATE_CHOICES = "duplicate_choices"
REASONS = (
    CUT_OFF, NO_ANSWER, NOT_A_CHOICE, SEVERAL_ANSWERS, EMPTY_THOUGHT, NO_QUESTION, NO_CHOICES, TOO_FEW_CHOICES,
    TOO_MANY_CHOICES, EMPTY_CHOICE, DUPLICATE_CHOICES,
)  # fmt: skip
FEWEST_CHOICES, MOST_CHOICES = 3, 10


@dataclass(frozen=True)
class Rejected:
    """A text that gave no value: ``reason`` is one of :data:`REASONS`, ``raw`` the text as it came."""

    reason: str
    raw: str


@dataclass(frozen=True)
class ParsedQuestion:
    """A multiple-choice question as its writer wrote it.

    Attributes:
        question: the question without its choices, on one line.
        choices: three to ten distinct choices without their letters, in the writer's order.
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
