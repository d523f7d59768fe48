"""Pictures that are made in no time: a few hundred rendered scenes, of which each picture is a copy with a number in its bytes.

The scenes of one shard differ from each other; the next shard has the same or the next ones, as other files. A manifest declares
what registration would else look up, so that no picture is opened before its shard is made.
"""

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from lgt_assets.embedded.scenes import Scene, caption, generate_scene, render
from lgt_assets.sources.scenes import scene_seed

SCENES = 256
FOLDER_PICTURES = 1000
SERIES = 7  # which series of scenes; none that the embedded model was trained on
_TRAILER = 12  # bytes of a PNG's last chunk, before which text may stand


@cache
def scene_of(number: int) -> Scene:
    """One of the rendered scenes."""
    return generate_scene(scene_seed(SERIES, number))


@cache
def caption_of(number: int) -> str:
    """The caption of every picture of the scene."""
    return caption(scene_of(number), 0)


@lru_cache(maxsize=1)
def scenes_by_caption() -> dict[str, Scene]:
    """All scenes by what is said of them."""
    return {caption_of(number): scene_of(number) for number in range(SCENES)}


@cache
def _png(number: int) -> bytes:
    buffer = io.BytesIO()
    render(scene_of(number)).save(buffer, format="PNG")
    return buffer.getvalue()


def picture_bytes(number: int) -> bytes:
    """A picture that no other number has: its scene's, and the number as text in the file."""
    png, note = _png(number % SCENES), b"tEXtComment\0" + str(number).encode()
    chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
    return png[:-_TRAILER] + chunk + png[-_TRAILER:]


def scene_shown(path: str) -> Scene:
    """The scene in the picture at ``path``, by its name."""
    return scene_of(int(Path(path).stem) % SCENES)


def write_manifest(folder: Path, numbers: Iterable[int]) -> Path:
    """Write the pictures of these numbers below the folder, and the manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "pictures.jsonl"
    with manifest.open("w") as lines:
        for number in numbers:
            place = Path(f"{number // FOLDER_PICTURES:04d}") / f"{number}.png"
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            content, scene = picture_bytes(number), scene_of(number % SCENES)
            (folder / place).write_bytes(content)
            width, height = struct.unpack(">II", content[16:24])
            boxes = [{"label": item.shape, "phrase": item.phrase, "box": list(item.box)} for item in scene.objects]
            row = {
                "id": str(number), "image": str(place), "caption": caption_of(number % SCENES), "boxes": boxes,
                "license": "Apache-2.0", "sha256": hashlib.sha256(content).hexdigest(), "width": width, "height": height,
            }  # fmt: skip
            lines.write(json.dumps(row) + "\n")
    return manifest
