"""Whether a shard of a source is worth making questions from: captions, licences, boxes, and pictures that come twice."""

from collections import Counter
from collections.abc import Callable

import polars as pl
from polars import col

from lgt_assets.errors import SourceError
from lgt_assets.quality.findings import Finding, Number, Slice, too_few
from lgt_assets.synthesis.intervals import wilson_interval

# What a source says that says nothing.
UNKNOWN_LICENSES = ("unknown", "none", "other", "n/a", "null", "-", "?")


def caption_length(rows: Slice) -> Finding:
    """Captions of few words ground few questions: dense ones have a hundred."""
    settings = rows.settings
    words = col("caption").str.count_matches(r"\S+").cast(pl.Int64)
    counted = rows.scan("caption").select(
        pl.len().alias("captions"), words.mean().alias("mean"), (words < settings.caption_words).sum().alias("short")
    )  # fmt: skip
    count, mean, short = counted.collect(engine="streaming").row(0)
    numbers: dict[str, Number] = {"captions": count, "mean words": mean, "least words": settings.caption_words}
    advice = "give denser captions, or lower checks.caption_words"
    return _largest_share(
        rows, short, count, settings.short_captions, numbers, "captions",
        f"have fewer than {settings.caption_words} words", advice,
    )  # fmt: skip


def caption_language(rows: Slice) -> Finding:
    """Captions in another language than the prompts ask for; switched off by ``checks.caption_language: any``."""
    from lgt_assets.synthesis.language import wrong_language

    settings = rows.settings
    if settings.caption_language == "any":
        return Finding(True, "not looked at (checks.caption_language)", {})
    count = other = 0
    example = ""
    for image_id, caption in rows.scan("image_id", "caption").collect().iter_rows():
        count += 1
        if wrong_language(caption, maximum_other_script=settings.caption_other_script):
            other, example = other + 1, example or image_id
    advice = f"such as {example}'s; leave them out, or set checks.caption_language: any"
    return _largest_share(
        rows, other, count, settings.foreign_captions, {"captions": count}, "captions", "are not English", advice
    )


def licence_present(rows: Slice) -> Finding:
    """Pictures whose source names no licence; a dataset with them cannot be given on."""
    settings = rows.settings
    said = rows.scan("license").collect()["license"]
    unknown = sum(text.strip().lower() in UNKNOWN_LICENSES for text in said)
    named = Counter(text for text in said if text.strip().lower() not in UNKNOWN_LICENSES)
    numbers: dict[str, Number] = {"pictures": len(said), "licences named": len(named)}
    advice = "name it in the rows, or for all by --option license=…, under a new source name"
    return _largest_share(
        rows, unknown, len(said), settings.unknown_licences, numbers, "pictures", "name no licence", advice
    )


def box_coverage(rows: Slice) -> Finding:
    """Pictures without a labelled box: questions about regions cannot be grounded in them."""
    settings = rows.settings
    images = rows.scan("image_id", "width", "height", table="images")
    area = (col("x1") - col("x0")) * (col("y1") - col("y0"))
    boxes = rows.scan("image_id", "x0", "x1", "y0", "y1", table="grounded_objects")
    by_image = boxes.group_by("image_id").agg(pl.len().alias("boxes"), area.sum().alias("area"))
    covered = (col("area").fill_null(0) / (col("width") * col("height"))).clip(0, 1)
    counted = images.join(by_image, on="image_id", how="left").select(
        pl.len().alias("pictures"), col("boxes").is_null().sum().alias("without"),
        col("boxes").fill_null(0).mean().alias("mean"), covered.mean().alias("covered"),
    )  # fmt: skip
    count, without, mean, share = counted.collect(engine="streaming").row(0)
    numbers: dict[str, Number] = {"pictures": count, "boxes per picture": mean, "share of a picture in boxes": share}
    advice = "bind a detector in the profile, add a source with boxes, or raise checks.without_boxes"
    return _largest_share(
        rows, without, count, settings.without_boxes, numbers, "pictures", "have no box", advice
    )  # fmt: skip


def picture_duplicates(hashes_of: Callable[[Slice], pl.DataFrame]) -> Callable[[Slice], Finding]:
    """A measure of pictures that look like an earlier one of their shard.

    Args:
        hashes_of: ``image_id`` and ``phash`` of the shard's pictures in order; raises SourceError where one cannot be read.
    """

    def measure(rows: Slice) -> Finding:
        from lgt_assets.release.perceptual import near_earlier

        settings = rows.settings
        distance = rows.wanted.release.picture_distance
        try:
            hashes = hashes_of(rows)
        except SourceError as error:
            return Finding(False, f"not all pictures can be read: {error}", {})
        found = near_earlier(hashes["phash"], distance)
        numbers: dict[str, Number] = {"pictures": hashes.height, "bits that may differ": distance}
        example = ""
        if found.height:
            first, other = (hashes["image_id"][int(found[name][0])] for name in ("row", "match"))
            example = f"such as {first} and {other}; "
        advice = f"{example}leave near copies out, or raise checks.picture_duplicates"
        return _largest_share(
            rows, found.height, hashes.height, settings.picture_duplicates, numbers, "pictures",
            "look like an earlier one of the shard", advice,
        )  # fmt: skip

    return measure


def _largest_share(
    rows: Slice, count: int, of: int, most: float, numbers: dict[str, Number], what: str, said: str, advice: str
) -> Finding:  # fmt: skip
    """A finding that warns where surely more than ``most`` of ``of`` are counted."""
    numbers = {"counted": count, **numbers, "threshold": most}
    if of < rows.settings.minimum_rows:
        return too_few(of, rows.settings.minimum_rows, what, numbers)
    numbers["rate"] = round(count / of, 4)
    passed = wilson_interval(count, of)[0] <= most
    return Finding(passed, f"{count} of {of} {what} {said}{'' if passed else ': ' + advice}", numbers)
