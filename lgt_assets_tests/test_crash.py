"""A short form of benchmarks.crash: killed runs, a killed server, a full disk, two runs at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_killed_runs_lose_and_repeat_nothing() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.crash",
        "--kills",
        "3",
        "--others",
        "1",
        "--seed",
        "7",
        "--scenes",
        "2",
        "--json",
    ]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], env=os.environ, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert figures["kills"] == 3 and figures["tables_equal"]
    assert {"SIGKILL", "SIGTERM", "server killed", "two runs at once"} <= {
        row["scenario"] for row in figures["scenarios"]
    }
    assert all(row["repeated"] <= row["in_flight_bound"] for row in figures["scenarios"])
