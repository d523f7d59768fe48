"""What every generating stage shares: a request with the row it is for, its answer, and the rows it makes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lgt_assets.engines.base import Completion, Request
from lgt_assets.identity import row_id
from lgt_assets.settings import state_folder
from lgt_assets.spool import BATCH_ROWS, Spool


@dataclass(frozen=True)
class Planned:
    """A request to be sent, with what its answer will be parsed against (``context``, JSON-able values by name)."""

    request: Request
    context: dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """A planned request with its key and completion."""

    request_key: str
    completion: Completion
    context: dict[str, Any]


def row_spool(rows: Iterable[dict] = (), *, batch_rows: int = BATCH_ROWS) -> Spool:
    """A list of rows that spills below the state folder."""
    return Spool(rows, folder=state_folder() / "spool", batch_rows=batch_rows)


@dataclass
class Outcome:
    """Rows that a stage made of its answers: ``asked`` completions, of which ``parsed`` gave something to judge.

    Rows and rejections, lists when given, are appended to, counted and iterated over, no more: many of them wait on disk.
    ``notes`` say what neither tells, by name, and are shown with the materialization.
    """

    rows: Sequence[dict] | Spool = ()
    rejections: Sequence[dict] | Spool = ()
    asked: int = 0
    parsed: int = 0
    notes: dict[str, int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows, self.rejections = row_spool(self.rows), row_spool(self.rejections)

    def reject(
        self, shard: str, asset: str, reason: str, *, request_key: str | None, parent_id: str | None, raw: str,
        detail: str = "", position: int = 0, measures: Mapping[str, float | None] | None = None,
    ) -> None:  # fmt: skip
        """Record one rejection; ``position`` tells apart rejects of one completion, ``measures`` are rates it was judged by."""
        self.rejections.append({
            "shard": shard,
            "ordinal": len(self.rejections),
            "rejection_id": row_id("rejections", shard, asset, reason, request_key, parent_id, position, raw),
            "asset": asset,
            "parent_id": parent_id,
            "request_key": request_key,
            "reason": reason,
            "detail": detail,
            "raw": raw,
            "measures": [
                {"name": name, "value": value} for name, value in (measures or {}).items() if value is not None
            ],
        })  # fmt: skip
