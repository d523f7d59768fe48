"""`lgt embedded`: measure or train the small model that comes with the package."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lgt_assets.commands.console import notices, output, plain, print_json

app = typer.Typer(no_args_is_help=True, help="Measure or train the embedded model.")

WEIGHTS = Annotated[
    Path | None, typer.Option("--weights", help="Folder of a model; by default the one in the package.")
]
NUMBER = Annotated[int, typer.Option("--n", min=1, help="Held-out pictures with one question each.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
OUT = Annotated[
    Path | None, typer.Option("--out", help="Folder for weights and checkpoints; by default $LGT_STATE/embedded.")
]
SEED = Annotated[int, typer.Option("--seed", min=0, help="Decides initial weights and every batch.")]
THREADS = Annotated[int, typer.Option("--threads", min=1, help="CPU threads.")]
STUDENT = Annotated[
    bool, typer.Option("--student", help="Train the weaker model that post-training starts from (minutes) instead.")
]
RESUME = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")]


def require_libraries() -> None:
    """Stop with the installing command where the embedded model cannot run.

    Raises:
        EngineError: torch or transformers is missing.
    """
    from lgt_assets.engines.registry import install_command, missing_libraries
    from lgt_assets.errors import EngineError

    missing = missing_libraries("hf_transformers")
    if missing:
        raise EngineError(f"the embedded model needs {', '.join(missing)}: {install_command('hf_transformers')}")


@contextmanager
def showing(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar (stderr) that moves when it is called with what is done, the total, and a remark."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notices()) as progress:
        task = progress.add_task(what)

        def move(done: int, total: int, remark: str) -> None:
            progress.update(task, completed=done, total=total, description=escape(f"{what} {plain(remark)}".strip()))

        yield move


@app.command()
def evaluate(weights: WEIGHTS = None, n: NUMBER = 1000, threads: THREADS = 2, as_json: JSON = False) -> None:
    """Measure the model on held-out scenes: with the picture, a blank one and a wrong one, and in every role."""
    require_libraries()
    from lgt_assets.embedded.evaluation import evaluate as measure
    from lgt_assets.embedded.evaluation import format_table
    from lgt_assets.engines.model_identity import embedded_folder

    with showing("evaluating") as progress:
        result = measure(weights or embedded_folder(), n=n, threads=threads, progress=progress)
    if as_json:
        print_json(result)
    else:
        output().print(plain(format_table(result)))


@app.command()
def score(
    weights: WEIGHTS = None,
    student: Annotated[bool, typer.Option("--student", help="The student in the package.")] = False,
    n: Annotated[int, typer.Option("--n", min=1, help="Questions.")] = 500,
    threads: THREADS = 1,
    as_json: JSON = False,
) -> None:
    """Ask a model the questions that post-training is evaluated with, on held-out scenes; count by the release's verifier."""
    require_libraries()
    from lgt_assets.commands.console import table_of
    from lgt_assets.engines.model_identity import embedded_folder
    from lgt_assets.training.held_out import IN_DOMAIN, questions
    from lgt_assets.training.scoring import score as measure
    from lgt_assets.training.students import student_folder

    folder = weights or (student_folder() if student else embedded_folder())
    with showing("asking") as progress:
        told = measure(
            folder, questions(IN_DOMAIN, n), threads=threads, progress=lambda done, of: progress(done, of, "")
        )
    rows = [row.as_dict() for row in told]
    if as_json:
        print_json({"weights": str(folder), "rows": rows})
        return
    columns = {"type": "left", "right (95 % interval)": "right", "of": "right", "well formed": "right"}
    lines = [
        (
            row["type"],
            f"{row['right'] / row['n']:.3f} ({row['low']:.3f}-{row['high']:.3f})",
            row["n"],
            f"{row['well_formed'] / row['n']:.3f}",
        )
        for row in rows
    ]
    output().print(table_of(columns, lines))


@app.command()
def train(
    out: OUT = None, seed: SEED = 0, threads: THREADS = 2, resume: RESUME = False, student: STUDENT = False
) -> None:
    """Train the model from a seed (an hour or two on two cores); --resume goes on from the last checkpoint in --out."""
    require_libraries()
    from lgt_assets.embedded.schedule import SCHEDULES
    from lgt_assets.embedded.training import train as train_model
    from lgt_assets.settings import state_folder

    name = "student" if student else "embedded"
    folder = out or state_folder() / name
    with showing("training") as progress:
        train_model(folder, seed=seed, schedule=SCHEDULES[name], threads=threads, resume=resume, progress=progress)
    output().print(plain(f"weights in {folder}; measure them: lgt embedded evaluate --weights {folder}"))
