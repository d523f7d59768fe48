"""What a page shows of a row: its facts, texts, choices, votes, and the rows that it names; one table of declarations."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from lgt_assets.lineage.declarations import KEYS, VOTED_ON, references_of

_QUESTION_FACTS = ("question_type", "hops")
_PROMPT_FACTS = ("stage",)
# Columns that are shown as name and value, in this order.
FACTS: dict[str, tuple[str, ...]] = {
    "images": (
        "source", "external_id", "width", "height", "split", "caption_source", "license", "attribution", "sha256", "uri",
    ),
    "grounded_objects": ("label", "phrase", "x0", "y0", "x1", "y1", "score", "box_source"),
    "seed_questions": (*_QUESTION_FACTS, "focus", "key_agreement", "blindness"),
    "composed_questions": (*_QUESTION_FACTS, "composition_kind", "support", "necessity", "blindness", "hardness"),
    "distilled_cots": ("sample_index", "answer_format", "is_correct", "behaviours"),
    "expanded_traces": (
        "cue", "sample_index", "is_correct", "transition", "consistency", "behaviours", "judged_behaviours",
    ),
    "preference_pairs": (*_PROMPT_FACTS, "kind", "chosen_characters", "rejected_characters"),
    "sft_mix": (*_PROMPT_FACTS, "recipe"),
    "rl_prompts": (
        *_PROMPT_FACTS, "form", "verification", "ground_truth", "answer_text", "pass_rate", "pass_rate_low", "pass_rate_high",
        "samples", "difficulty",
    ),
    "rejections": ("asset", "reason", "detail", "measures"),
}  # fmt: skip
# Columns that are shown as texts under a heading.
TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    "images": (("Caption", "caption"),),
    "distilled_cots": (("Thought", "thought"), ("Answer", "answer")),
    "expanded_traces": (("Thought", "thought"), ("Added by the reasoner", "added_thought"), ("Answer", "answer")),
    "preference_pairs": (("Chosen", "chosen"), ("Rejected", "rejected")),
    "rejections": (("What was refused", "raw"),),
}
# Columns of chat messages, shown a turn under a heading each.
MESSAGES = {"preference_pairs": "prompt", "sft_mix": "messages", "rl_prompts": "messages"}
# Columns of choices, with the columns of the index that is right and of the one that was answered.
CHOICES: dict[str, tuple[str, str, str]] = {
    "seed_questions": ("choices", "answer_index", ""), "composed_questions": ("choices", "answer_index", ""),
    "distilled_cots": ("choices_shown", "right_index", "answer_index"), "rl_prompts": ("choices_shown", "", ""),
}  # fmt: skip
# Columns with a place of their own on the page: the heading, links, the completion.
PLACED = ("shard", "ordinal", "question", "request_key", "votes", "answer_index")


@dataclass(frozen=True)
class Choice:
    """One choice as the row shows it."""

    letter: str
    text: str
    is_key: bool
    is_answer: bool


@dataclass(frozen=True)
class Card:
    """A row as the page shows it. ``links`` are (column, ids) of the rows that it names."""

    row_id: str
    table: str
    headline: str
    question: str
    facts: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...]
    links: tuple[tuple[str, tuple[str, ...]], ...]
    votes: tuple[dict, ...]
    request_key: str | None
    judged_key: str | None


def card_of(table: str, row: Mapping, headline: str) -> Card:
    """The card of a row, all columns given."""
    judged = row.get("judged_behaviours") or {}
    return Card(
        row_id=row[KEYS[table]], table=table, headline=headline, question=row.get("question") or "",
        facts=tuple((name.replace("_", " "), _shown(row[name])) for name in FACTS[table]),
        texts=tuple(_texts(table, row)), choices=tuple(_choices(table, row)), links=tuple(_links(table, row)),
        votes=tuple(row["votes"] or ()) if table in VOTED_ON else (), request_key=row.get("request_key"),
        judged_key=judged.get("request_key"),
    )  # fmt: skip


def _shown(value: object) -> str:
    """A value in few characters; what was not measured says so."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list):
        return ", ".join(f"{one['name'].replace('_', ' ')} {_shown(one['value'])}" for one in value) or "–"
    if isinstance(value, dict):
        named = ((name, one) for name, one in value.items() if name != "request_key")
        return ", ".join(f"{name.replace('_', ' ')} {_shown(one)}" for name, one in named)
    return str(value)


def _texts(table: str, row: Mapping) -> Iterator[tuple[str, str]]:
    if table in MESSAGES:
        yield from ((f"{turn['role']} turn", turn["content"]) for turn in row[MESSAGES[table]])
    for heading, column in TEXTS.get(table, ()):
        text = row[column]
        if (table, column) == ("expanded_traces", "thought"):
            text = text.removesuffix(row["added_thought"])
        yield heading, text


def _choices(table: str, row: Mapping) -> Iterator[Choice]:
    if table not in CHOICES:
        return
    column, key, answered = CHOICES[table]
    right = row[key] if key else ascii_uppercase.find(row["ground_truth"]) if row["form"] == "choice" else -1
    for index, text in enumerate(row[column]):
        letter = ascii_uppercase[index] if index < len(ascii_uppercase) else str(index + 1)
        yield Choice(letter, text, index == right, bool(answered) and index == row[answered])


def _links(table: str, row: Mapping) -> Iterator[tuple[str, tuple[str, ...]]]:
    for reference in references_of(table):
        value = row[reference.column]
        ids = tuple(value or ()) if reference.is_list else () if value is None else (value,)
        if ids:
            yield reference.column.replace("_", " "), tuple(dict.fromkeys(ids))


def messages_of(prompt: str) -> list[dict]:
    """The turns of a completion's rendered prompt: role, text, sha256s of the pictures.

    What is not the JSON that this project writes is shown as one turn, since hiding it would be worse.
    """
    try:
        turns = json.loads(prompt)
        return [{"role": turn["role"], "text": turn["text"], "images": turn["images"]} for turn in turns]
    except (ValueError, TypeError, KeyError):
        return [{"role": "prompt", "text": prompt, "images": []}]
