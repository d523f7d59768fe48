"""Run every benchmark, one after the other; arguments such as --json go to each."""

import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("__"))


def main() -> None:
    """Run them in processes of their own, so that none warms up another."""
    for name in NAMES:
        print(f"== {name}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
