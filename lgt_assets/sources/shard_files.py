"""The files of a source below the state folder: ``sources/NAME/source.yaml`` and one immutable ``NAME-00000.jsonl`` a shard.

A shard's first line is its header, each further line one picture or one problem, in the order of the source; or the tombstone of
either, see :mod:`.removal`.
"""

import dataclasses
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from lgt_assets.errors import NotFoundError, SourceError
from lgt_assets.identity import SHARD_KEY, image_id, split_of
from lgt_assets.sources.files import write_atomically
from lgt_assets.sources.records import Picture, SourceBox, SourceProblem, SourceRecord

SOURCE_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_NAME = 64
FORMAT = 1
# Types of the lines that stand for what a takedown removed.
REMOVED_PICTURE, REMOVED_PROBLEM = "removed_image", "removed_problem"


@dataclass(frozen=True)
class ShardSlice:
    """What one shard holds, in the order of the source; immutable once written, but for takedowns.

    ``removed`` are sha256s of pictures that were taken down, ``removed_problems`` keys of the bad rows that went with them.
    """

    shard: str
    pictures: tuple[Picture, ...]
    problems: tuple[SourceProblem, ...]
    removed: tuple[str, ...] = ()
    removed_problems: tuple[str, ...] = ()


def check_name(name: str) -> None:
    """Raise SourceError unless ``name`` can name a source: it becomes part of shard keys, ids and paths."""
    if not SOURCE_NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise SourceError(
            f"{name!r} cannot name a source: use small letters, digits and single hyphens between them, "
            f"at most {MAX_NAME} characters, as in my-pictures"
        )


def source_folder(state: Path, name: str) -> Path:
    """Where a source's shards lie."""
    return state / "sources" / name


def holdings_path(state: Path, name: str) -> Path:
    """The file in which what a source holds can be looked up; it can be made again from the shards."""
    return state / "sources" / f".{name}.holdings.sqlite"


def source_lock(state: Path, name: str) -> Path:
    """The lock file that whoever adds to a source holds."""
    return state / "sources" / f".{name}.lock"


def pictures_folder(state: Path, name: str) -> Path:
    """Where pictures go that a source makes itself."""
    return state / "images" / name


def source_of(shard: str) -> str:
    """Name of the source that a shard is a slice of. Raises NotFoundError: the text is no shard key."""
    if not SHARD_KEY.fullmatch(shard):
        raise NotFoundError(f"{shard!r} is not a shard; one reads like scenes-00000")
    return shard[:-6]


def shard_names(state: Path, name: str) -> list[str]:
    """Shards of a source, in order."""
    pattern = re.compile(rf"{re.escape(name)}-\d{{5}}\.jsonl")
    folder = source_folder(state, name)
    return sorted(path.stem for path in folder.glob("*.jsonl") if pattern.fullmatch(path.name))


def shard_stamps(state: Path, name: str) -> dict[str, tuple[int, int]]:
    """Size in bytes and time of every shard's file, by shard."""
    return {shard: shard_stamp(state, shard) for shard in shard_names(state, name)}


def shard_stamp(state: Path, shard: str) -> tuple[int, int]:
    """Size in bytes and time (nanoseconds) of a shard's file. Raises NotFoundError: there is none."""
    found = _existing(state, shard).stat()
    return found.st_size, found.st_mtime_ns


def write_shard(state: Path, name: str, number: int, rows: Sequence[Picture | SourceProblem]) -> str:
    """Write the ``number``-th shard of a source, once; returns its key. Hold the source's lock.

    Raises:
        SourceError: the shard exists, or the number has more than five digits.
    """
    shard = f"{name}-{number:05d}"
    path = source_folder(state, name) / f"{shard}.jsonl"
    if path.exists() or number > 99_999:
        raise SourceError(
            f"{shard} cannot be written: a shard is written once, and a source has at most 100,000; use a new name"
        )
    pictures = sum(isinstance(row, Picture) for row in rows)
    header = {"type": "shard", "format": FORMAT, "shard": shard, "images": pictures, "problems": len(rows) - pictures}
    lines = [
        header,
        *(_picture_line(state, shard, row) if isinstance(row, Picture) else _problem_line(row) for row in rows),
    ]
    write_atomically(
        path, "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines).encode()
    )
    return shard


def read_shard(state: Path, shard: str) -> ShardSlice:
    """What a shard holds, without a look at the pictures.

    Raises:
        NotFoundError: there is no such shard.
        SourceError: its file was damaged.
    """
    path = _existing(state, shard)
    pictures: list[Picture] = []
    problems: list[SourceProblem] = []
    removed: dict[str, list[str]] = {REMOVED_PICTURE: [], REMOVED_PROBLEM: []}
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        if lines[0]["format"] != FORMAT:
            raise SourceError(f"{path} was written in format {lines[0]['format']}; this version reads {FORMAT}")
        for line in lines[1:]:
            kind = line.pop("type")
            if kind == "image":
                pictures.append(_picture(state, line))
            elif kind in removed:
                removed[kind].append(line["digest"])
            else:
                problems.append(SourceProblem(**line))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SourceError(f"{path} is damaged ({error}); restore it from a copy: shards never change") from error
    return ShardSlice(
        shard, tuple(pictures), tuple(problems), tuple(removed[REMOVED_PICTURE]), tuple(removed[REMOVED_PROBLEM])
    )


def read_header(state: Path, shard: str) -> tuple[int, int]:
    """Pictures and problems a shard holds. Raises as :func:`read_shard`."""
    path = _existing(state, shard)
    try:
        with path.open(encoding="utf-8") as file:
            header = json.loads(file.readline())
        return header["images"], header["problems"]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is damaged ({error}); restore it from a copy: shards never change") from error


def recorded_kind(state: Path, name: str) -> str | None:
    """Kind of a source that has been added before; None for a new one.

    Raises:
        SourceError: its ``source.yaml`` is lost or damaged.
    """
    path = source_folder(state, name) / "source.yaml"
    if not path.exists():
        if shard_names(state, name):
            raise SourceError(
                f"{path} is missing though there are shards; restore it: it says the source's kind and options"
            )
        return None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))["kind"]
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} is damaged ({error}); it should say the source's kind and options") from error


def manifest_stamp(kind: str, options: Mapping[str, object]) -> dict[str, int] | None:
    """``mtime_ns`` and ``size`` of a manifest; None for a source of another kind, whose growth nobody watches.

    Raises:
        SourceError: the file cannot be looked at.
    """
    if kind != "manifest":
        return None
    try:
        found = Path(str(options["path"])).stat()
    except OSError as error:
        raise SourceError(f"{options['path']} cannot be read ({error}); check --path") from error
    return {"mtime_ns": found.st_mtime_ns, "size": found.st_size}


def record_source(
    state: Path, name: str, kind: str, options: Mapping[str, object], shard_size: int,
    manifest: Mapping[str, int] | None = None,
) -> None:  # fmt: skip
    """Note kind, options and shard size of the latest addition in ``source.yaml``.

    ``manifest`` is :func:`manifest_stamp` from before the file was read, given only once all of it was added: without it the
    file counts as changed.
    """
    recorded: dict[str, object] = {"kind": kind, "options": dict(options), "shard_size": shard_size}
    if manifest is not None:
        recorded["manifest"] = dict(manifest)
    text = yaml.safe_dump(recorded, sort_keys=False)
    write_atomically(source_folder(state, name) / "source.yaml", text.encode("utf-8"))


def shard_path(state: Path, shard: str) -> Path:
    """Where a shard's file lies, or would lie."""
    return source_folder(state, source_of(shard)) / f"{shard}.jsonl"


def _existing(state: Path, shard: str) -> Path:
    path = shard_path(state, shard)
    if not path.is_file():
        raise NotFoundError(f"no shard {shard}; `lgt sources list` shows those there are")
    return path


def _picture_line(state: Path, shard: str, picture: Picture) -> dict[str, object]:
    record = picture.record
    path, root = Path(os.path.abspath(record.path)), Path(os.path.abspath(state))
    line = dict(vars(record)) | {
        "boxes": [vars(box) for box in record.boxes],
        # Pictures that a source made are named from the state folder, so that this can be moved.
        "path": str(path.relative_to(root) if path.is_relative_to(root) else path),
        "sha256": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "image_id": image_id(shard, picture.sha256),
        "split": split_of(picture.sha256),
    }
    # Nothing of the row's own text is lost by leaving it out: the line says all of it.
    for name in ("raw", "expected_sha256", "content", "declared_size"):
        del line[name]
    if record.origin is None:
        del line["origin"]
    if not picture.inspected:
        line["inspected"] = False  # nobody has opened the file yet: its size is what the row declared
    return {"type": "image"} | line


def _problem_line(problem: SourceProblem) -> dict[str, object]:
    return {"type": "problem"} | dataclasses.asdict(problem)


def _picture(state: Path, line: dict) -> Picture:
    raw = json.dumps(line, ensure_ascii=False)
    sha256, width, height = line.pop("sha256"), line.pop("width"), line.pop("height")
    inspected = line.pop("inspected", True)
    # Both follow from the sha256; they are in the file for people.
    del line["image_id"], line["split"]
    line |= {
        "path": Path(os.path.abspath(state)) / line["path"],
        "boxes": tuple(SourceBox(**box) for box in line["boxes"]),
        "raw": raw,
        "expected_sha256": sha256,
        "declared_size": (width, height),
    }
    return Picture(SourceRecord(**line), sha256, width, height, inspected=inspected)
