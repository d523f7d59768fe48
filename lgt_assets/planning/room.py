"""Rows, bytes, shards and events of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lgt_assets.planning.effort import Effort
from lgt_assets.planning.figures import Figure, Figures
from lgt_assets.planning.size import Size

PLANNED_SHARDS = 2000  # partitions that Dagit lists without effort; design.md 4
SHARD_ASSETS = 9  # partitioned assets, each with a materialization a shard
# Bytes of a row beside its texts, and bytes of a token of its texts, both compressed; for tables that no state folder holds.
ROW_BYTES = Figure(150, "assumed", "ids, keys and numbers of a row, compressed")
TOKEN_BYTES = Figure(1.5, "assumed", "4 characters a token, compressed to 0.4 of that")


@dataclass(frozen=True)
class TableNeed:
    """Rows and bytes of one table, and how the bytes of a row are known."""

    table: str
    rows: float
    bytes_per_row: Figure

    @property
    def bytes(self) -> float:
        """Of all rows, one version."""
        return self.rows * self.bytes_per_row.value


def tables_needed(
    size: Size, efforts: Sequence[Effort], figures: Figures, measured: Mapping[str, Figure]
) -> list[TableNeed]:
    """What each table holds after the run, in one version.

    Args:
        size: of the run.
        efforts: what is asked.
        figures: for rows and texts.
        measured: bytes a row by table, where a state folder has the table.
    """
    requests = sum(one.requests for one in efforts)
    mean = {role: _mean_tokens(efforts, role) for role in ("vlm", "reasoner")}
    chain, trace = mean["vlm"], mean["vlm"] + mean["reasoner"]
    asked = sum(one.prompt_tokens + one.new_tokens for one in efforts) / requests if requests else 0.0
    question, caption = figures["question_tokens"].value, figures["caption_tokens"].value
    rows = {
        "images": (size.images, caption),
        "grounded_objects": (size.images * figures["objects_per_picture"].value, 8.0),
        "seed_questions": (size.seed_questions, question),
        "composed_questions": (size.composed_questions, question),
        "distilled_cots": (size.questions * size.samples, chain + question),
        "expanded_traces": (size.questions * size.chains_per_question * size.expansions, trace),
        "preference_pairs": (size.questions * figures["pairs_per_question"].value, 2 * trace),
        "sft_mix": (size.questions * figures["sft_examples_per_question"].value, trace + question),
        "rl_prompts": (size.questions, question),
        "generations": (requests, asked),
    }
    return [
        TableNeed(table, count, measured.get(table) or _assumed_bytes(table, tokens))
        for table, (count, tokens) in rows.items()
    ]


def _assumed_bytes(table: str, tokens: float) -> Figure:
    value = ROW_BYTES.value + tokens * TOKEN_BYTES.value
    return Figure(value, "assumed", f"{ROW_BYTES.value:g} + {tokens:,.0f} tokens x {TOKEN_BYTES.value:g}")


def _mean_tokens(efforts: Sequence[Effort], role: str) -> float:
    asked = [one for one in efforts if one.role == role]
    requests = sum(one.requests for one in asked)
    return sum(one.new_tokens for one in asked) / requests if requests else 0.0


def event_log_bytes(size: Size, figures: Figures) -> float:
    """Dagster's event log after every shard of every asset was made once."""
    return size.shards * SHARD_ASSETS * figures["event_log_bytes_per_materialization"].value
