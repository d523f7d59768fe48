"""`lgt suites`: the held-out suites as tasks for lmms-eval, with ready tasks for public benchmarks."""

from pathlib import Path
from typing import Annotated

import typer

from lgt_assets.commands.console import output, plain, print_json

OUT = Annotated[Path, typer.Option("--out", "-o", help="Folder to write: empty, or not there yet.")]
QUESTIONS = Annotated[int, typer.Option("--questions", min=1, help="Questions of each suite.")]
EXPORT = Annotated[
    Path | None,
    typer.Option(
        "--not-in", metavar="DIR", help="An export (hf): questions whose prompts stand in it are passed over."
    ),
]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def suites(out: OUT, questions: QUESTIONS = 500, not_in: EXPORT = None, as_json: JSON = False) -> None:
    """Write the suites for `lmms_eval --include_path DIR --tasks lgt_held_out`; pictures, rewards and functions lie beside."""
    from lgt_assets.training import held_out
    from lgt_assets.training.contamination import KnownPrompts, exported_questions
    from lgt_assets.training.lmms_eval_suites import write_tasks

    known = frozenset() if not_in is None else KnownPrompts(exported_questions(not_in))
    asked = {suite: held_out.questions(suite, questions, known=known) for suite in held_out.SUITES}
    tasks = write_tasks(out, asked)
    if as_json:
        print_json({"out": str(out), "questions": questions, "tasks": tasks})
    else:
        output().print(plain(f"{out}: {questions} questions of each suite; tasks {', '.join(tasks)}"))
