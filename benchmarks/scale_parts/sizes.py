"""What a simulation leaves on disk, in bytes."""

from pathlib import Path

EVENT_LOG = ("*.db", "*.db-wal", "*.db-journal")


def bytes_below(folder: Path, patterns: tuple[str, ...] = ("*",)) -> int:
    """Bytes of the files below ``folder`` whose names match."""
    files = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    return sum(path.stat().st_size for path in files)


def sizes(state: Path, rows: dict[str, int], shards: int) -> dict:
    """Tables with their logs, response store and event log."""
    tables = {name: bytes_below(state / "tables" / name, ("*.parquet",)) for name in rows if rows[name]}
    logs = {name: bytes_below(state / "tables" / name / "_delta_log") for name in tables}
    data = {name: tables[name] - bytes_below(state / "tables" / name / "_delta_log", ("*.parquet",)) for name in tables}
    events = bytes_below(state / "dagster", EVENT_LOG)
    store = bytes_below(state / "responses")
    return {
        "table_mb": {name: round(size / 1e6, 3) for name, size in data.items()},
        "table_bytes_per_row": {name: round(size / rows[name], 1) for name, size in data.items()},
        "delta_log_mb": round(sum(logs.values()) / 1e6, 3), "delta_log_kb_per_shard": round(sum(logs.values()) / 1e3 / shards, 1),
        "response_store_mb": round(store / 1e6, 3), "response_store_bytes_per_completion": round(store / rows["generations"], 1),
        "event_log_mb": round(events / 1e6, 3), "event_log_kb_per_shard": round(events / 1e3 / shards, 1),
    }  # fmt: skip
