"""A question as the trainee sees it, and assistant turns in the one form that all datasets share."""

from dataclasses import dataclass

from lgt_assets.engines.base import ImageReference, Message
from lgt_assets.identity import random_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.synthesis.answers import LETTERS


@dataclass(frozen=True)
class Shown:
    """Choices in the order shown, the index of the right one, and the form of answer asked for."""

    choices: tuple[str, ...]
    right_index: int
    answer_format: str

    @property
    def right_letter(self) -> str:
        """Letter of the right choice."""
        return LETTERS[self.right_index]

    @property
    def right_answer(self) -> str:
        """The right answer in the form asked for: ``(B)`` or ``(B) red``."""
        letter = f"({self.right_letter})"
        return letter if self.answer_format == "letter" else f"{letter} {self.choices[self.right_index]}"


def show(question: dict, answer_formats: tuple[str, ...]) -> Shown:
    """A question's one way of being shown: choices shuffled and format drawn by the question's own seed.

    All samples, pairs, examples and prompts of a question share it; it depends on nothing but the question's row.
    """
    choices = list(question["choices"])
    right = choices[question["answer_index"]]
    shuffled = sorted(choices)
    random_of(question["question_id"], "shown").shuffle(shuffled)
    answer_format = random_of(question["question_id"], "answer format").choice(answer_formats)
    return Shown(tuple(shuffled), shuffled.index(right), answer_format)


def user_messages(
    prompts: PromptSet, question: str, shown: Shown, *, role: str = "vlm", images: tuple[ImageReference, ...] = ()
) -> tuple[Message, ...]:
    """The chat that asks the question, rendered by the template of ``role``."""
    return prompts.messages(
        role, images=images, question=question, choices=list(shown.choices), answer_format=shown.answer_format
    )


def as_rows(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Messages as the tables' role and content structs."""
    return [{"role": message.role, "content": message.text} for message in messages]


def assistant_turn(thought: str, answer: str) -> str:
    """A full assistant turn."""
    return f"<think> {thought} </think><answer>{answer}</answer>"


def stage_of(question: dict) -> int:
    """1 for seed questions, 2 for composed ones."""
    return 1 if question["hops"] == 1 else 2
