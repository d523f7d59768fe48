"""The process that is killed: loads everything, says so, waits for a line, then makes what it is told and says what came of it.

Lines on stdin: ``register COUNT``, ``run``, ``digest``; each is answered by a line of JSON. Loading comes first, so that a
killer can keep one ready while another runs.
"""

import hashlib
import json
import signal
import sys

TABLES = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts", "rejections", "failures", "generations",
)  # fmt: skip
# What a clock measured, a server's cache, and which server answered: not part of what is compared.
MEASURED = ("seconds", "cached_tokens", "endpoint")
SOURCE, SHARD = "scenes", "scenes-00000"


def register(count: int) -> dict:
    """Add ``count`` rendered scenes as one shard."""
    from lgt_assets.assets.registration import register as add
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Tables

    with open_instance() as instance:
        add(instance, Tables().store(), SOURCE, "scenes", {"count": count, "seed": 0}, shard_size=count)
    return {}


def run() -> dict:
    """Make every partitioned asset of the shard; the messages of what failed."""
    from lgt_assets import runs
    from lgt_assets.instance import open_instance

    with open_instance() as instance:
        summary = runs.run(instance, selection=",".join(TABLES[:9]), shards=SHARD)
    return {"failures": summary.failures}


def digest() -> dict:
    """sha256 of every table's rows as text in data order, and how many there are."""
    from lgt_assets.resources import Tables
    from lgt_assets.storage import canonical_rows

    store = Tables().store()
    rows = {name: store.read(name).drop(MEASURED, strict=False) for name in TABLES}
    return {
        "digests": {name: hashlib.sha256(canonical_rows(table).encode()).hexdigest() for name, table in rows.items()},
        "rows": {name: table.height for name, table in rows.items()},
    }


def main() -> None:
    """Obey lines."""
    import lgt_assets.definitions
    import lgt_assets.engines.openai_server  # noqa: F401

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a service manager's stop: unwinds like Ctrl-C
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        name, *rest = line.split()
        answer = {"register": register, "run": run, "digest": digest}[name](*map(int, rest))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
