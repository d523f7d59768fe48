"""Turns that datasets may draw from: those that answer a question exactly as it is shown, judged anew against its key."""

from dataclasses import dataclass

from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import Shown, assistant_turn

SHOWN_DIFFERENTLY = "shown_differently"


@dataclass(frozen=True, order=True)
class Turn:
    """An assistant turn: the id of the row it comes from, its text, and whether its answer is the key's."""

    row_id: str
    text: str
    is_right: bool


@dataclass(frozen=True)
class Chain:
    """A simple chain of thought with the expanded ones that continue it."""

    simple: Turn
    expanded: tuple[Turn, ...]

    def continued(self, is_right: bool) -> list[Turn]:
        """The expanded turns that end right, or those that end wrong."""
        return [turn for turn in self.expanded if turn.is_right is is_right]


def chains_as_shown(cots: list[dict], traces: dict[str, list[dict]], shown: Shown) -> tuple[list[Chain], list[dict]]:
    """Chains whose choices were shown in this very order and format, and the rows of ``distilled_cots`` that were not.

    Right or wrong is decided by the index that the answer names, not by what the row says of itself.

    Args:
        cots: a question's rows of ``distilled_cots``.
        traces: rows of ``expanded_traces`` by cot_id.
        shown: the question as the prompt shows it.
    """
    chains, others = [], []
    for row in cots:
        if (tuple(row["choices_shown"]), row["answer_format"]) != (shown.choices, shown.answer_format):
            others.append(row)
            continue
        expanded = tuple(_turn(trace, "trace_id", shown) for trace in traces.get(row["cot_id"], ()))
        chains.append(Chain(_turn(row, "cot_id", shown), expanded))
    return chains, others


def reject_others(outcome: Outcome, shard: str, asset: str, others: list[dict]) -> None:
    """Record rows that were shown in another way than the prompt says (``shown_differently``)."""
    for row in others:
        detail = f"{row['answer_format']}, choices {row['choices_shown']}: materialize distilled_cots again"
        outcome.reject(
            shard, asset, SHOWN_DIFFERENTLY, request_key=row["request_key"], parent_id=row["cot_id"], raw=row["thought"],
            detail=detail,
        )  # fmt: skip


def _turn(row: dict, key: str, shown: Shown) -> Turn:
    return Turn(row[key], assistant_turn(row["thought"], row["answer"]), row["answer_index"] == shown.right_index)
