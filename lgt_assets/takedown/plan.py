"""What is to be removed, all of it, written down before the first change: a killed takedown is completed from its plan.

The plan holds ids and texts of the picture; it lies in the state folder until nothing else does, and is then removed itself.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from lgt_assets.errors import StorageError
from lgt_assets.sources.files import write_atomically

FOLDER = "takedowns"


@dataclass(frozen=True)
class TakenPicture:
    """One picture; ``uri`` is where it lies, "" where nothing says so."""

    image_id: str
    sha256: str
    shard: str
    uri: str


@dataclass
class Plan:
    """What is to be removed.

    Attributes:
        pictures: they share a sha256 or were named together.
        names: what the user named them by.
        command: as it is kept.
        began_at: ISO 8601, UTC.
        rows: ids (of exclusions and audits: row ids; of completions and failures: request keys) by table.
        texts: words of the pictures' rows, each at least some characters long: what is searched for in texts.
        releases: ids of releases that hold a shard of theirs.
        credits: (licence, attribution) of the pictures that no other picture has.
        bad_row_shards: further shards of the same sources that hold bad rows about the pictures.
        versions: by "table/shard", the data version that its last materialization told before anything changed.
    """

    pictures: list[TakenPicture]
    names: list[str]
    command: str
    began_at: str
    rows: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    releases: list[str] = field(default_factory=list)
    credits: list[list[str]] = field(default_factory=list)
    bad_row_shards: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def shards(self) -> list[str]:
        """Shards that are touched, sorted."""
        return sorted({picture.shard for picture in self.pictures})

    def shards_of(self, table: str) -> list[str]:
        """Shards of which ``table`` loses rows."""
        return sorted({*self.shards, *self.bad_row_shards}) if table == "rejections" else self.shards

    @property
    def sha256s(self) -> list[str]:
        """Contents that are removed, sorted."""
        return sorted({picture.sha256 for picture in self.pictures})

    @property
    def image_ids(self) -> list[str]:
        """Pictures that are removed, sorted."""
        return sorted(picture.image_id for picture in self.pictures)

    @property
    def ids(self) -> list[str]:
        """Every id and key that is removed, sorted."""
        return sorted({one for ids in self.rows.values() for one in ids} | {*self.image_ids, *self.sha256s})


def plan_path(state: Path) -> Path:
    """Where the plan of a takedown that goes on, or was killed, lies."""
    return state / FOLDER / "plan.json"


def write_plan(state: Path, plan: Plan) -> None:
    """Keep the plan, whole or not at all."""
    write_atomically(plan_path(state), json.dumps(dataclasses.asdict(plan), ensure_ascii=False).encode())


def unfinished_plan(state: Path) -> Plan | None:
    """The plan of a takedown that was killed; None without one.

    Raises:
        StorageError: it cannot be read.
    """
    path = plan_path(state)
    if not path.is_file():
        return None
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return Plan(**held | {"pictures": [TakenPicture(**one) for one in held["pictures"]]})
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{path} is damaged ({error}): remove it and take the picture down again") from error


def remove_plan(state: Path) -> None:
    """Nothing is left to do."""
    plan_path(state).unlink(missing_ok=True)
