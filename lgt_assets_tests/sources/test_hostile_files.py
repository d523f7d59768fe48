"""Every hostile file and row has its outcome, by name; none stops the shard, and none takes more memory than is said."""

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, open_picture
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.sources import Picture, SourceProblem, add_source, open_source, read_shard, shard_rows
from lgt_assets.sources.inspection import inspect
from lgt_assets_tests.sources.hostile_pictures import HOSTILE_FILES, HostileFile, encoded, plain, turned
from lgt_assets_tests.sources.pictures import judged, row, write_lines

BOX = {"label": "ball", "box": [0, 0, 1, 1]}
GOOD = encoded(plain(), "PNG")


def outcome(entry: Picture | SourceProblem) -> str | None:
    return entry.reason if isinstance(entry, SourceProblem) else None


@pytest.mark.parametrize("file", HOSTILE_FILES, ids=lambda file: file.name)
def test_every_file_has_its_outcome(tmp_path: Path, file: HostileFile) -> None:
    (tmp_path / file.name).write_bytes(file.make())
    (entry,) = judged(write_lines(tmp_path / "manifest.jsonl", [row(file.name, boxes=[BOX])]))
    assert outcome(entry) == file.reason, entry
    if isinstance(entry, SourceProblem):
        assert file.name in entry.detail and entry.detail.isprintable() and len(entry.detail) < 600


def folder_with_traps(root: Path) -> Path:
    """A folder for a manifest, with a private picture beside it and all kinds of links and devices in it."""
    folder = root / "mine"
    (folder / "folder").mkdir(parents=True)
    for path in (folder / "good.png", folder / "folder" / "inside.png", root / "private.png"):
        path.write_bytes(encoded(plain(number=len(path.name)), "PNG"))
    links = {
        "link.png": "good.png", "link out.png": "../private.png", "link to root.png": str(root / "private.png"),
        "link to itself.png": "link to itself.png", "link to nothing.png": "nothing.png", "folder link": "folder",
        "folder out": "..", "password.png": "/etc/passwd", "zero.png": "/dev/zero", "self.png": "/proc/self/environ",
    }  # fmt: skip
    for name, target in links.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s.png"))
    (folder / unicodedata.normalize("NFD", "café.png")).write_bytes(GOOD)
    (folder / "two\nlines.png").write_bytes(GOOD)
    (folder / "gnp.\u202egood.png").write_bytes(GOOD)
    (folder / "günstig 🐈‍⬛.png").write_bytes(GOOD)
    return folder


HOSTILE_ROWS: dict[str, tuple[str | None, str | None]] = {
    # the row's image: the reason (None: taken), and what the message says
    "good.png": (None, None),
    "./folder/../good.png": (None, None),
    "folder link/inside.png": (None, None),
    "link.png": (None, None),
    "günstig 🐈‍⬛.png": (None, None),
    "../private.png": ("unsafe_path", "roots="),
    "folder/../../private.png": ("unsafe_path", "roots="),
    "folder out/private.png": ("unsafe_path", "symbolic link"),
    "link out.png": ("unsafe_path", "symbolic link"),
    "link to root.png": ("unsafe_path", "symbolic link"),
    "password.png": ("unsafe_path", "symbolic link"),
    "zero.png": ("unsafe_path", "symbolic link"),
    "self.png": ("unsafe_path", "symbolic link"),
    "/etc/passwd": ("unsafe_path", "roots="),
    "/dev/zero": ("unsafe_path", "roots="),
    "//etc/passwd": ("unsafe_path", "roots="),
    "~/private.png": ("missing_file", "there is no"),
    "$HOME/private.png": ("missing_file", "there is no"),
    "file:///etc/passwd": ("missing_file", "there is no"),
    "..\\private.png": ("missing_file", "there is no"),
    "good.png/../../private.png": ("unsafe_path", "roots="),
    "good.png/inside.png": ("missing_file", "there is no"),
    "link to itself.png": ("unreadable_file", "symbolic links"),
    "link to nothing.png": ("missing_file", "there is no"),
    "nothing.png": ("missing_file", "there is no"),
    "GOOD.PNG": ("missing_file", "there is no"),
    "pipe.png": ("not_a_file", "a pipe"),
    "folder.png": ("not_a_file", "a folder"),
    "s.png": ("not_a_file", "a device"),
    ".": ("not_a_file", "a folder"),
    "café.png": ("missing_file", "another Unicode form"),
    "two\nlines.png": ("unsafe_path", r"two\nlines.png"),
    "good.png\r": ("unsafe_path", r"good.png\r"),
    "\x1b[2Jgood.png": ("unsafe_path", r"\x1b"),
    "gnp.\u202egood.png": ("unsafe_path", r"\u202e"),
    "good\0.png": ("unsafe_path", r"\x00"),
    "\ud800.png": ("unsafe_path", r"\ud800"),
    "x" * 300: ("unreadable_file", "too long"),
    "a/" * 3000: ("unreadable_file", "too long"),
    " ": ("missing_field", "empty"),
}


@pytest.mark.parametrize("image", HOSTILE_ROWS, ids=lambda image: ascii(image)[:40])
def test_every_path_has_its_outcome(tmp_path: Path, image: str) -> None:
    reason, says = HOSTILE_ROWS[image]
    folder = folder_with_traps(tmp_path)
    (entry,) = judged(write_lines(folder / "manifest.jsonl", [row(image, boxes=[BOX])]))
    assert outcome(entry) == reason, entry
    if isinstance(entry, SourceProblem):
        assert says in entry.detail and entry.detail.isprintable()


def test_a_root_that_the_user_names_opens_that_folder_alone(tmp_path: Path) -> None:
    folder = folder_with_traps(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_bytes(GOOD)
    (folder / "link to other.png").symlink_to(other / "a.png")
    images = [str(other / "a.png"), "link to other.png", "../private.png", "/etc/passwd"]
    manifest = write_lines(folder / "manifest.jsonl", [row(image, boxes=[BOX]) for image in images])
    reasons = {}
    for roots in ("", str(other), f"{other}:{tmp_path / 'none'}", "/"):
        records = open_source("manifest", {"path": str(manifest), "roots": roots}).records(tmp_path)
        reasons[roots] = [outcome(one if isinstance(one, SourceProblem) else inspect(one)) for one in records]
    unsafe = "unsafe_path"
    assert reasons[""] == [unsafe] * 4
    assert reasons[str(other)] == reasons[f"{other}:{tmp_path / 'none'}"] == [None, None, unsafe, unsafe]
    assert reasons["/"] == [None, None, unsafe, "not_a_picture"]  # `..` is refused whatever is allowed


def test_all_of_them_in_one_source_are_sorted_without_a_stop(tmp_path: Path) -> None:
    folder, state = folder_with_traps(tmp_path), tmp_path / "state"
    rows: list[dict | str] = [row(image, boxes=[BOX]) for image in HOSTILE_ROWS]
    for file in HOSTILE_FILES:
        (folder / file.name).write_bytes(file.make())
        rows.append(row(file.name, boxes=[BOX]))
    rows += [
        "[" * 100_000,
        '{"image": NaN}',
        '{"image": "good.png", "caption": ' + "9" * 5000 + ', "boxes": []}',
        "\x00",
    ]
    manifest = write_lines(folder / "manifest.jsonl", rows)
    before = {path: digest(path) for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}

    added = add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=16)
    assert added.images_added + added.problems_added == len(rows)
    found = [problem.reason for shard in added.new_shards for problem in read_shard(state, shard).problems]
    expected = [reason for reason, _ in HOSTILE_ROWS.values()] + [file.reason for file in HOSTILE_FILES]
    # Some files are the same picture under several names.
    assert sorted(reason for reason in found if reason not in ("duplicate_image", "bad_json", "bad_type")) == sorted(
        reason for reason in expected if reason
    )
    again = add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=16)
    assert (again.images_added, again.problems_added) == (0, 0)
    for shard in added.new_shards:
        for table, part in shard_rows(state, shard)._asdict().items():
            SCHEMAS[table].validate(frame(table, part))
    assert before == {path: digest(path) for path in before}  # nothing was written to


def digest(path: Path) -> tuple[str, int]:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns
    except OSError as error:
        return str(error), 0


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        (lambda path: path.write_bytes(GOOD), "changed_file", "is not the one that was added"),
        (lambda path: path.unlink(), "missing_file", "cannot be read"),
        (lambda path: path.write_bytes(b""), "unreadable_image", "is not the one that was added"),
        (lambda path: (path.unlink(), path.mkdir()), "not_a_file", "cannot be read"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "changed_file", "is not the one that was added"),
    ],
    ids=["rewritten", "gone", "emptied", "a folder now", "a link now"],
)
def test_files_that_change_after_they_were_added_are_noticed(
    tmp_path: Path, change: Callable[[Path], object], reason: str, message: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(plain(number=1), "PNG"))
    manifest = write_lines(tmp_path / "manifest.jsonl", [row("a.png", boxes=[BOX])])
    (shard,) = add_source(tmp_path / "state", "mine", "manifest", {"path": str(manifest)}).new_shards
    (image,) = shard_rows(tmp_path / "state", shard).images
    change(path)
    rows = shard_rows(tmp_path / "state", shard)
    assert not rows.images and not rows.grounded_objects and [one["reason"] for one in rows.rejections] == [reason]
    with pytest.raises(ImageUnreadable, match=message):
        open_picture(ImageReference(image["sha256"], image["uri"]))


MARK = (4, 6, 20, 16)  # in pixels of the upright picture: a red rectangle


def marked(orientation: int, kind: str) -> bytes:
    """A picture, stored as a camera does that is held in this orientation, with a red rectangle."""
    upright = Image.new("RGB", (80, 60), "white")
    upright.paste((255, 0, 0), MARK)
    back = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}.get(orientation)  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(upright.transpose(back) if back is not None else upright, kind, exif=exif, quality=95, lossless=True)


def red_in(picture: Image.Image) -> tuple[int, ...]:
    return picture.convert("RGB").point(lambda value: 255 if value > 128 else 0).getchannel("G").point(
        lambda value: 255 - value
    ).getbbox() or ()  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_follow_a_picture_that_exif_turns(tmp_path: Path, orientation: int, kind: str) -> None:
    (tmp_path / "a").write_bytes(marked(orientation, kind))
    swapped = orientation >= 5
    # Pillow turns TIFF by itself, so what is stored is seen in a PNG of the same pixels.
    stored_box = red_in(Image.open(io.BytesIO(marked(orientation, "PNG"))))
    boxes = {"stored": stored_box, "upright": MARK}
    for number, (pixels_of, box) in enumerate(boxes.items()):
        state = tmp_path / f"state{number}"
        manifest = write_lines(
            tmp_path / "manifest.jsonl", [row("a", boxes=[{"label": "mark", "box": [float(edge) for edge in box]}])]
        )
        added = add_source(state, "mine", "manifest", {"path": str(manifest), "box_pixels": pixels_of})
        assert added.images_added == 1, read_shard(state, added.new_shards[0]).problems
        assert add_source(state, "mine", "manifest", {"path": str(manifest), "box_pixels": pixels_of}).images_known == 1
        rows = shard_rows(state, added.new_shards[0])
        (image,), (found,) = rows.images, rows.grounded_objects
        assert (image["width"], image["height"]) == (80, 60)
        held = read_shard(state, added.new_shards[0]).pictures[0]
        assert (held.width, held.height) == ((60, 80) if swapped else (80, 60))  # as stored
        edges = tuple(found[edge] for edge in ("x0", "y0", "x1", "y1"))
        assert all(abs(edge - wanted) <= 1 for edge, wanted in zip(edges, MARK, strict=True)), (edges, box)
        seen = open_picture(ImageReference(image["sha256"], image["uri"]))  # what a model is given
        assert seen.size == (80, 60)
        assert all(abs(edge - wanted) <= 1 for edge, wanted in zip(red_in(seen), MARK, strict=True))


def test_boxes_are_held_against_the_pixels_that_they_are_given_in(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(turned(6, "JPEG"))  # stored 40 x 30, shown 30 x 40
    for pixels_of, box, reason in (
        ("stored", [30, 0, 40, 30], None), ("stored", [0, 30, 30, 40], "box_outside"),
        ("upright", [0, 30, 30, 40], None), ("upright", [30, 0, 40, 30], "box_outside"),
    ):  # fmt: skip
        manifest = write_lines(tmp_path / "manifest.jsonl", [row("a.jpg", boxes=[{"label": "x", "box": box}])])
        (record,) = open_source("manifest", {"path": str(manifest), "box_pixels": pixels_of}).records(tmp_path)
        assert outcome(inspect(record)) == reason


# Of the formats, these two take most: coefficients of all scans, and two canvases beside the pixels.
LARGEST = {
    "progressive JPEG in four colours": lambda: encoded(Image.new("CMYK", (8_000, 8_000)), "JPEG", progressive=True),
    "WebP": lambda: encoded(Image.new("RGBA", (8_000, 8_000)), "WEBP", lossless=True, quality=0, method=0),
}
# Loaded modules take some 60 MB of it. A process's peak is read from the kernel: resource's is that of whoever started it.
LOOK = """
import json, sys, time
from pathlib import Path
from lgt_assets.sources.decoding import decoded
from lgt_assets.sources.inspection import read_picture
from lgt_assets.sources.records import RowRejected
seconds = {}
for path in map(Path, sys.argv[1:]):
    start = time.monotonic()
    try:
        decoded(read_picture(path), path)
    except RowRejected as rejected:
        pass
    seconds[path.name] = time.monotonic() - start
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps({"megabytes": int(peak.split()[1]) / 1024, "seconds": seconds}))
"""


def cost_of(*paths: Path) -> dict:
    """Peak memory of a process of its own that looks at these files, and seconds that each took."""
    done = subprocess.run([sys.executable, "-c", LOOK, *map(str, paths)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_bomb_costs_more_memory_or_time_than_is_said(tmp_path: Path) -> None:
    for file in HOSTILE_FILES:
        (tmp_path / file.name).write_bytes(file.make())
    cost = cost_of(*sorted(tmp_path.iterdir()))
    assert len(cost["seconds"]) == len(HOSTILE_FILES)
    assert cost["megabytes"] < 250 and max(cost["seconds"].values()) < 5, cost


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", LARGEST)
def test_the_largest_picture_that_is_taken_costs_what_is_said(tmp_path: Path, kind: str) -> None:
    (tmp_path / "picture").write_bytes(LARGEST[kind]())
    cost = cost_of(tmp_path / "picture")
    assert cost["megabytes"] < 1_200 and cost["seconds"]["picture"] < 60, cost
