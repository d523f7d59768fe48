"""The lineage page: one row with its picture, what it was made from, what was made from it, and every completion behind it."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lgt_assets import __version__
from lgt_assets.errors import SourceError
from lgt_assets.lineage.cards import Card, Choice, card_of, messages_of
from lgt_assets.lineage.dossier import Dossier
from lgt_assets.pages.document import render
from lgt_assets.pictures import data_address, picture_of

LONGEST_SIDE = 768
HEADLINE_CHARACTERS = 140
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Branch:
    """A line of the outline with what follows it; ``repeated`` where that is shown further up."""

    row_id: str
    table: str
    headline: str
    branches: tuple["Branch", ...] = ()
    repeated: bool = False


def render_lineage(dossier: Dossier) -> str:
    """The page as HTML. All text is escaped, nothing outside the page is loaded, and no script runs.

    A picture that is missing or changed is said on the page, its boxes are drawn all the same.
    """
    picture, problem = _picture(dossier)
    prompts = {one["prompt"]: number for number, one in enumerate(_distinct_prompts(dossier), start=1)}
    main = [dossier.subject.name] if dossier.subject.kind == "row" else list(dossier.subject.row_ids)
    values = {
        "dossier": dossier, "main": main, "picture": picture, "problem": problem, "version": __version__,
        "ids": {*dossier.rows, *dossier.rejected}, "cards": [_card(dossier, row_id) for row_id in dossier.rows],
        "rejected": [_card(dossier, row_id) for row_id in dossier.rejected],
        "boxes": [{"object_id": box.row_id, **box.values} for box in dossier.boxes], "prompts": prompts,
        "messages": {number: messages_of(prompt) for prompt, number in prompts.items()},
        "questions": list(_questions(dossier, main)), "above": list(_above(dossier, main)),
        "below": [_branch(dossier, row_id, set()) for row_id in main],
    }  # fmt: skip
    return render(_FOLDER / "page.html.jinja", style=_FOLDER / "page.css", values=values)


def write_file(path: Path, page: str) -> int:
    """Write the page, whole or not at all; its size in bytes.

    Raises:
        SourceError: the file cannot be written.
    """
    content = page.encode("utf-8", "replace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            file.write(content)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise SourceError(f"--html {path}: {error.strerror}") from error
    return len(content)


def _picture(dossier: Dossier) -> tuple[str, str]:
    """The picture as an address, and what is wrong with it; one of them is empty."""
    if dossier.image is None:
        return "", "no picture belongs to it"
    try:
        return data_address(picture_of(dossier.image, longest_side=LONGEST_SIDE)), ""
    except SourceError as error:
        return "", str(error)


def _questions(dossier: Dossier, main: list[str]) -> Iterator[tuple[Card, tuple[Choice, ...]]]:
    """The questions that the subject answers or is, with their choices as the chains on the page saw them."""
    named = dict.fromkeys(_question_of(dossier, one) for one in main)
    wanted = [row_id for row_id in named if row_id in dossier.rows]
    shown = {
        row["question_id"]: _card(dossier, row_id).choices
        for row_id, row in dossier.rows.items()
        if dossier.table_of(row_id) == "distilled_cots"
    }
    for row_id in wanted:
        card = _card(dossier, row_id)
        yield card, tuple(replace(choice, is_answer=False) for choice in shown.get(row_id, card.choices))


def _question_of(dossier: Dossier, row_id: str) -> str | None:
    row = dossier.rows.get(row_id) or dossier.rejected.get(row_id) or {}
    parent = row.get("parent_id")
    return row.get("question_id") or (_question_of(dossier, parent) if parent else None)


def _distinct_prompts(dossier: Dossier) -> Iterator[dict]:
    seen = set()
    for completion in dossier.completions.values():
        if completion["prompt"] not in seen:
            seen.add(completion["prompt"])
            yield completion


def _card(dossier: Dossier, row_id: str) -> Card:
    row = dossier.rows.get(row_id) or dossier.rejected[row_id]
    return card_of(dossier.table_of(row_id), row, _headline(dossier, row_id))


def _headline(dossier: Dossier, row_id: str) -> str:
    text = dossier.family.members[row_id].said
    return text if len(text) <= HEADLINE_CHARACTERS else text[: HEADLINE_CHARACTERS - 1] + "…"


def _above(dossier: Dossier, main: list[str]) -> Iterator[Branch]:
    """What leads to the subject, in the order of tables."""
    wanted = set().union(*(dossier.family.ancestors(row_id) for row_id in main)) - set(main)
    for row_id in dossier.family.members:
        if row_id in wanted:
            yield Branch(row_id, dossier.table_of(row_id), _headline(dossier, row_id))
    for row_id in sorted(wanted - dossier.family.members.keys()):
        yield Branch(row_id, "", "is missing")


def _branch(dossier: Dossier, row_id: str, seen: set[str]) -> Branch:
    """A row with all that was made from it; one that is reached by two ways is opened once."""
    table, headline = dossier.table_of(row_id), _headline(dossier, row_id)
    following = dossier.family.children.get(row_id, [])
    if row_id in seen:
        return Branch(row_id, table, headline, repeated=bool(following))
    seen.add(row_id)
    return Branch(row_id, table, headline, tuple(_branch(dossier, child, seen) for child in following))
