"""`lgt audit`: people judge a sample of rows; what they find goes into a table, the report and the card."""

from pathlib import Path
from typing import Annotated

import typer

from lgt_assets.audit_vocabulary import AUDITED_TABLES
from lgt_assets.commands.console import output, plain, print_json, table_of

SCORE_COLUMNS = {"table": "left", "rows": "right", "wrong": "right", "error rate": "left", "kinds": "left"}
app = typer.Typer(no_args_is_help=True, help="Have people judge a sample of rows.")

TABLE = Annotated[str, typer.Option("--table", help=f"One of {', '.join(AUDITED_TABLES)}.")]
COUNT = Annotated[int, typer.Option("--n", min=1, help="Rows to judge.")]
SEED = Annotated[int, typer.Option("--seed", min=0, help="Which sample.")]
OUTPUT = Annotated[
    Path | None, typer.Option("--output", help="File to write; by default $LGT_STATE/audits/TABLE-N-SEED.html.")
]
FILE = Annotated[Path, typer.Argument(help="Verdicts that the page let you download (JSON lines).")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


@app.command()
def sample(table: TABLE, count: COUNT = 200, seed: SEED = 0, output_path: OUTPUT = None) -> None:
    """Write a page with a random sample of a table's rows, to be judged in any browser, without a server."""
    from lgt_assets.audit.items import read_items
    from lgt_assets.audit.page import render_page
    from lgt_assets.audit.sample import sample_ids
    from lgt_assets.resources import Tables
    from lgt_assets.settings import state_folder
    from lgt_assets.sources.files import write_atomically

    store = Tables().store()
    row_ids, population = sample_ids(store, table, count, seed)
    page = render_page(read_items(store, table, row_ids), table=table, seed=seed, population=population)
    path = output_path or state_folder() / "audits" / f"{table}-{len(row_ids)}-{seed}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page.encode("utf-8"))
    console = output()
    console.print(plain(f"{len(row_ids):,} of {population:,} rows of {table}: {path}"))
    console.print("Open it in a browser, judge, download the verdicts; then: lgt audit score FILE")


@app.command()
def score(file: FILE, as_json: JSON = False) -> None:
    """Keep a file of verdicts in the table `audits`, and show error rates with their 95 % intervals."""
    from lgt_assets.audit.scores import audit_summary, keep_verdicts
    from lgt_assets.resources import Tables

    summary = audit_summary(keep_verdicts(Tables().store(), file))
    if as_json:
        print_json({"audits": summary})
        return
    output().print(table_of(SCORE_COLUMNS, score_rows(summary)))


def score_rows(summary: dict[str, dict]) -> list[tuple]:
    """The summary as cells of a table."""
    return [
        (
            table, f"{found['rows']:,}", f"{found['wrong']:,}",
            f"{found['error_rate']:.1%} ({found['low']:.1%} to {found['high']:.1%})",
            ", ".join(f"{kind} {counts['rows']:,}" for kind, counts in found["kinds"].items()),
        )
        for table, found in summary.items()
    ]  # fmt: skip
