"""What the tour of Dagit starts from: one shard with everything made of it, one begun, the others only added."""

import os
import subprocess
import sys
from pathlib import Path

from lgt_assets.cli import main

PICTURES, SHARD_SIZE = 12, 2
SHARDS = [f"scenes-{number:05}" for number in range(PICTURES // SHARD_SIZE)]
WHOLE, BEGUN, UNTOUCHED = SHARDS[0], SHARDS[1], SHARDS[2:]
SOURCES = ["images", "grounded_objects"]
ENVIRONMENT = {"LGT_PROFILE": "embedded", "HF_HUB_OFFLINE": "1"}


def make_state(state: Path) -> None:
    """Register :data:`SHARDS`; make all of :data:`WHOLE`, and the pictures and objects of :data:`BEGUN`.

    One process of its own runs all commands: each would load the same libraries.
    """
    variables = os.environ | ENVIRONMENT | {"LGT_STATE": str(state)}
    command = [sys.executable, "-m", "lgt_assets_tests.dagit_pages.state"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def run_commands() -> None:
    """The commands of `lgt` that make the state in ``$LGT_STATE``."""
    count = ["--count", str(PICTURES), "--shard-size", str(SHARD_SIZE)]
    for arguments in (
        ["sources", "add", "scenes", "--kind", "scenes", *count],
        ["run", "--select", ",".join(SOURCES), "--shards", BEGUN],
        ["run", "--shards", WHOLE],
    ):
        try:
            main(arguments)
        except SystemExit as ending:
            if ending.code:
                raise


if __name__ == "__main__":
    run_commands()
