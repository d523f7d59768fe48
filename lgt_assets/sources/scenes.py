"""Kind ``scenes``: pictures of coloured shapes rendered from seeds, with exact boxes; what the embedded model knows."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lgt_assets.identity import seed_of
from lgt_assets.sources.files import write_atomically
from lgt_assets.sources.records import Source, SourceBox, SourceOptions, SourceProblem, SourceRecord


class ScenesOptions(SourceOptions):
    """A larger ``count`` with the same ``seed`` adds pictures; another ``seed`` gives others."""

    count: int = Field(96, ge=1, le=1_000_000, description="Pictures.")
    seed: int = Field(0, ge=0, description="Which series of pictures.")


def scene_seed(seed: int, index: int) -> int:
    """Seed in [0, 2**31) of the ``index``-th scene of the series ``seed``; training scenes must lie elsewhere."""
    return seed_of("scenes", seed, index)


class ScenesSource(Source):
    """Rendered scenes; label ``circle``, phrase ``small red circle``."""

    kind: ClassVar[str] = "scenes"
    Options: ClassVar[type[SourceOptions]] = ScenesOptions

    def __init__(self, options: ScenesOptions):
        self.options = options

    def expected(self) -> int | None:
        """The count asked for."""
        return self.options.count

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Render scene after scene to ``pictures/scene-<seed>-<sha256>.png``.

        The sha256 is in the name because another version of the encoder may write other bytes: a picture that a shard
        holds is never overwritten.
        """
        from lgt_assets.embedded.scenes import caption, generate_scene, render

        for index in range(self.options.count):
            seed = scene_seed(self.options.seed, index)
            scene = generate_scene(seed)
            buffer = io.BytesIO()
            render(scene).save(buffer, format="PNG")
            data = buffer.getvalue()
            path = pictures / f"scene-{seed:010d}-{hashlib.sha256(data).hexdigest()[:16]}.png"
            if not path.exists():
                write_atomically(path, data)
            boxes = []
            for item in scene.objects:
                x0, y0, x1, y1 = (float(edge) for edge in item.box)
                boxes.append(SourceBox(item.shape, f"{item.size} {item.color} {item.shape}", x0, y0, x1, y1))
            yield SourceRecord(
                file=self.kind,
                row=index + 1,
                external_id=f"{self.options.seed}-{index:06d}",
                path=path,
                caption=caption(scene, seed_of("caption", self.options.seed, index)),
                caption_source="rendered",
                boxes=tuple(boxes),
                box_source="rendered",
                license="Apache-2.0",
                raw=json.dumps({"seed": self.options.seed, "index": index}),
            )
