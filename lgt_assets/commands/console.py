"""Where commands write: results to stdout, everything else to stderr; text from models can neither style nor steer."""

import json
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Pipes and files get long lines whole: a table cut at 80 columns cannot be searched.
PIPE_WIDTH = 200


def output() -> Console:
    """Console for results."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def notices() -> Console:
    """Console for progress and messages (stderr)."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def plain(value: object) -> Text:
    """``value`` as text without markup; control characters, with which a terminal could be steered, are spelled out."""
    return Text("".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in str(value)))


def print_json(value: Mapping) -> None:
    """One object on one line of stdout."""
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201 - rich would wrap the line


def table_of(columns: Mapping[str, str], rows: list[tuple]) -> Table:
    """A table of ``rows``; ``columns`` maps headings to ``left`` or ``right``."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, side in columns.items():
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(plain, row))
    return table
