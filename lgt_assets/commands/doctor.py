"""`lgt doctor`: what is installed, which profiles work here, and what mends the rest."""

import os
import sys
from typing import Annotated

import typer

from lgt_assets.commands.console import output, plain, print_json, table_of

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def doctor(as_json: JSON = False) -> None:
    """Say what is installed, which profiles work here, and the command that mends what does not.

    Exits with 1 when the profile in force does not work.
    """
    from dataclasses import asdict

    from lgt_assets.doctor import installed_packages, machine, profile_findings, profile_names
    from lgt_assets.settings import DEFAULT_PROFILE

    basics = [*installed_packages(), *machine()]
    profiles = {name: profile_findings(name) for name in profile_names()}
    chosen = os.environ.get("LGT_PROFILE") or DEFAULT_PROFILE
    works = {name: all(finding.ok for finding in findings) for name, findings in profiles.items()}
    if as_json:
        print_json({
            "profile": chosen,
            "works": works,
            "findings": [asdict(f) for f in basics],
            "profiles": {name: [asdict(f) for f in findings] for name, findings in profiles.items()},
        })  # fmt: skip
    else:
        console = output()
        columns = {"": "left", "found": "left", "mend": "left"}
        rows = [(f.subject, f.found, "" if f.ok and f.found != "not installed" else f.mend) for f in basics]
        console.print(table_of(columns, rows))
        for name, findings in profiles.items():
            mark = " (in force)" if name == chosen else ""
            verdict = "works here" if works[name] else "does not work here"
            console.print(plain(f"\nprofile {name}{mark}: {verdict}"), style="bold")
            rows = [(("ok " if f.ok else "NO ") + f.subject, f.found, "" if f.ok else f.mend) for f in findings]
            console.print(table_of(columns, rows))
    if not (works[chosen] and all(finding.ok for finding in basics)):
        sys.exit(1)
