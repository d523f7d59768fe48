"""What the columns of an export mean: a table for each kind of training."""

from collections.abc import Mapping, Sequence

from lgt_assets.release.card_wording import code, table, text
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.writing import Written
from lgt_assets.schemas import SCHEMAS

_TASKS = {"sft": "Supervised", "dpo": "Preference pairs", "rl": "Prompts for reinforcement learning"}
# Columns that no table has, or that mean something else there; what the others mean is in the data dictionary.
_MEANINGS = {
    "images": "The pictures, in the order shown.",
    "image_ids": "Ids of the pictures.",
    "prompt": "What the user asks.",
    "messages": "The chat: what the user asks and, where there is one, the assistant's turn.",
    "completion": "The assistant's turn: a thought in <think>, then an answer in <answer>.",
    "chosen": "The preferred turn of the assistant.",
    "rejected": "The other turn of the assistant.",
    "rejected_response": "The other turn of the assistant; the preferred one ends the messages.",
    "row_id": "Id of the row in the platform; the command lgt show opens all that it was made from.",
    "choices": "Choices in the order shown; none in the open form.",
    "solution": "The right answer: a letter as shown, or text in the open form.",
    "answer": "The right answer: a letter as shown, or text in the open form.",
    "label": "The right answer: a letter as shown, or text in the open form.",
    "problem": "What the user asks, with a placeholder for the picture.",
    "data_source": "Always lgt.",
    "ability": "Always visual_reasoning.",
    "reward_model": "How verl compares, and with which right answer.",
    "difficulty": "Band of the pass rate: unsolved, hard, medium, easy or solved.",
    "kind": "What makes one turn better than the other, as in LongPerceptualThoughts.",
    "verification": "How an answer is compared: letter, number or exact_text.",
    "extra_info": "What the reward is given besides: the way of verifying, choices, difficulty.",
}


def columns_section(written: Sequence[Written]) -> str:
    """Name, type and meaning of every column."""
    parts = []
    for task, title in _TASKS.items():
        first = next((one for one in written if one.features and CONFIGS[one.config].task == task), None)
        if first is not None:
            rows = [
                [code(name), type_name(feature), text(_meaning(name, CONFIGS[first.config].table))]
                for name, feature in first.features.items()
            ]
            parts.append(f"**{title}**\n\n{table(['column', 'type', ''], rows)}")
    return "\n\n".join(parts)


def type_name(feature: Mapping | Sequence) -> str:
    """A feature in words, such as ``list of string``."""
    if isinstance(feature, list):
        return f"list of {type_name(feature[0])}"
    kind = feature.get("_type")
    if not isinstance(kind, str):
        return f"struct of {', '.join(feature)}"
    if kind in ("Sequence", "List"):
        return f"list of {type_name(feature['feature'])}"
    return feature["dtype"] if kind == "Value" else kind.lower()


def _meaning(name: str, table_name: str) -> str:
    if name in _MEANINGS:
        return _MEANINGS[name]
    columns = SCHEMAS[table_name].to_schema().columns
    return columns[name].description or "" if name in columns else ""
