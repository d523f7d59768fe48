"""Different questions against questions asked: with boxes in focus, and from the caption alone.

The embedded model's questioner is asked up to ``--per-image`` times about each of ``--images`` rendered scenes, once as the
profile does (types and boxes in focus take turns) and once knowing the caption and no boxes, so that every request is about the
whole scene. Types, sampling and seeds are the same. The ratio is what the second half of the requests adds, boxes : caption.
"""

import argparse
import json
from dataclasses import asdict

import polars as pl

from lgt_assets.embedded.scenes import PICTURE_SIZE, caption, generate_scene
from lgt_assets.engines.base import Completion, request_key
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.prompts.templates import prompt_set
from lgt_assets.settings import Profile, load_profile
from lgt_assets.synthesis.diversity import diversity
from lgt_assets.synthesis.parsing import ParsedQuestion, parse_questions
from lgt_assets.synthesis.question_growth import GrowthPoint, growth, similarity_within_image
from lgt_assets.synthesis.questions import plan_questions

BATCH = 64


def tables(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the questioner is told of ``count`` scenes, in columns of ``images`` and ``grounded_objects``."""
    images, objects = [], []
    for number in range(count):
        scene, image_id = generate_scene(number), f"scene-{number}"
        images.append(
            {
                "image_id": image_id,
                "ordinal": number,
                "caption": caption(scene, number),
                "width": PICTURE_SIZE,
                "height": PICTURE_SIZE,
            }
        )
        for item in scene.objects:
            x0, y0, x1, y1 = map(float, item.box)
            objects.append({
                "object_id": f"object-{len(objects)}", "image_id": image_id, "ordinal": len(objects), "label": item.shape,
                "phrase": item.phrase, "x0": x0, "y0": y0, "x1": x1, "y1": y1,
            })  # fmt: skip
    return pl.DataFrame(images), pl.DataFrame(objects)


def questions_by_image(
    engine: HfTransformersEngine, images: pl.DataFrame, objects: pl.DataFrame, profile: Profile
) -> list[list[str | None]]:
    """The first question of every reply by picture, in the order asked; None for a reply without a usable one."""
    planned = list(plan_questions(images, objects, profile=profile, prompts=prompt_set(profile.prompts)))
    keys = [request_key(engine.identity, item.request) for item in planned]
    replies = {
        result.request_key: result.text
        for result in engine.generate(item.request for item in planned)
        if isinstance(result, Completion)
    }
    groups: dict[str, list[str | None]] = {image_id: [] for image_id in images["image_id"]}
    for key, item in zip(keys, planned, strict=True):
        first = parse_questions(replies.get(key, ""))[0]
        groups[item.context["image_id"]].append(first.question if isinstance(first, ParsedQuestion) else None)
    return list(groups.values())


def measures(groups: list[list[str | None]]) -> dict[str, float | int | None]:
    """The measures of a corpus, by name."""
    pairs = [(str(number), text) for number, group in enumerate(groups) for text in group if text is not None]
    return diversity(pairs) | {"similarity_within_image": similarity_within_image(groups)}


def gained(points: list[GrowthPoint]) -> int:
    """Different questions that the second half of the requests added."""
    return points[-1].distinct - points[len(points) // 2 - 1].distinct if len(points) > 1 else 0


def measure(count: int, per_image: int) -> dict[str, object]:
    """Both curves and all measures."""
    profile = load_profile("embedded")
    profile = profile.model_copy(update={"questions": profile.questions.model_copy(update={"per_image": per_image})})
    images, objects = tables(count)
    engine = HfTransformersEngine(HfTransformersSettings(device="cpu", dtype="float32", batch_size=BATCH, threads=1))
    try:
        boxes = questions_by_image(engine, images, objects, profile)
        alone = questions_by_image(engine, images, objects.clear(), profile)
    finally:
        engine.close()
    curves = {"boxes": growth(boxes), "caption": growth(alone)}
    more, fewer = gained(curves["boxes"]), gained(curves["caption"])
    return {
        "images": count, "per_image": per_image, "boxes": measures(boxes), "caption": measures(alone),
        "gained_in_second_half": {"boxes": more, "caption": fewer}, "ratio": round(more / fewer, 2) if fewer else None,
        "curves": {name: [asdict(point) for point in points] for name, points in curves.items()},
    }  # fmt: skip


def main() -> None:
    """Print both curves; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--per-image", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.images, arguments.per_image)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name in ("boxes", "caption"):
        print(name, {key: value if value is None else round(value, 3) for key, value in figures[name].items()})
    print("asked a picture, different questions: boxes, caption")
    for with_boxes, alone in zip(figures["curves"]["boxes"], figures["curves"]["caption"], strict=True):
        print(f"{with_boxes['per_image']:4} {with_boxes['distinct']:6} {alone['distinct']:6}")
    print(f"added by the second half of the requests: {figures['gained_in_second_half']}, ratio {figures['ratio']}")


if __name__ == "__main__":
    main()
