"""Dense captions for pictures that came without one. What is written here is marked as such and never replaces a given one."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lgt_assets.engines.base import ImageReference, Request
from lgt_assets.identity import canonical_json, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import CaptionSettings, Profile
from lgt_assets.synthesis.language import WRONG_LANGUAGE, wrong_language
from lgt_assets.synthesis.parsed import CUT_OFF, Rejected
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.repetition import REPEATS, repetition

ASSET = "images"
ROLE, TEMPLATE = "captioner", "caption"
MISSING = "caption_missing"
NO_CAPTION = "no_caption"
SEVERAL_CAPTIONS = "several_captions"
TOO_SHORT = "caption_too_short"
_CAPTION = re.compile(r"<caption>(.*?)</caption>", re.DOTALL | re.IGNORECASE)


def plan_captions(rows: Iterable[Mapping], *, profile: Profile, prompts: PromptSet) -> Iterator[Planned]:
    """One request for each of ``rows``, which are of ``images``, that has no caption."""
    sampling, template_hash = profile.role(ROLE).sampling.sampling(), prompts.template_hash(TEMPLATE)
    for row in rows:
        if row["caption"] is None:
            messages = prompts.messages(TEMPLATE, images=(ImageReference(row["sha256"], row["uri"]),))
            seed = seed_of(row["image_id"], ROLE)
            request = Request(messages, sampling, seed, template_hash=template_hash)
            yield Planned(request, {"image_id": row["image_id"]})


def parse_caption(text: str, *, finished: bool, settings: CaptionSettings) -> str | Rejected:
    """The caption in a reply, on one line.

    Reasons: ``no_caption`` (nothing between the tags), ``cut_off``, ``several_captions``, ``caption_too_short``,
    ``wrong_language``, ``repeats``.
    """
    found = _CAPTION.findall(text)
    if not found:
        return Rejected(NO_CAPTION if finished else CUT_OFF, text)
    if len(found) > 1:
        return Rejected(SEVERAL_CAPTIONS, text)
    caption = " ".join(found[0].split())
    if not caption:
        return Rejected(NO_CAPTION, text)
    if len(caption.split()) < settings.minimum_words:
        return Rejected(TOO_SHORT, text)
    if settings.language == "english" and wrong_language(caption, "", settings.maximum_other_script) is not None:
        return Rejected(WRONG_LANGUAGE, text)
    return Rejected(REPEATS, text) if repetition("", caption) is not None else caption


def build_captions(
    shard: str, rows: Sequence[dict], rejections: Sequence[dict], answered: Iterable[Answered] | None, *,
    settings: CaptionSettings, captioner: str,
) -> Outcome:  # fmt: skip
    """Rows of ``images`` in the order of the source: those with a caption as they are, the others with the one written for them.

    A picture without a caption is rejected: with the reason ``caption_missing`` where nobody was asked for one, else with
    those of :func:`parse_caption`.

    Args:
        shard: its key.
        rows: of ``images``, ``caption`` null where the source has none.
        rejections: of the source.
        answered: the captioner's replies; None where nobody may be asked.
        settings: what a generated caption must be.
        captioner: name and revision of the model, noted as ``caption_source``.
    """
    outcome = Outcome((), rejections, asked=len(rows) + len(rejections), parsed=len(rows))
    written = {answer.context["image_id"]: answer for answer in answered or ()}
    for row in rows:
        if row["caption"] is not None:
            outcome.rows.append(row | {"ordinal": len(outcome.rows)})
            continue
        if answered is None:
            outcome.reject(
                shard, ASSET, MISSING, request_key=None, parent_id=None, raw=_named(row), detail=_how_to_mend(row)
            )
            continue
        if row["image_id"] not in written:
            continue  # the request failed, which the profile allows: it is in `failures`
        answer = written[row["image_id"]]
        finished = answer.completion.finish_reason != "length"
        caption = parse_caption(answer.completion.text, finished=finished, settings=settings)
        if isinstance(caption, Rejected):
            detail = f"picture {row['image_id']}, {row['uri']}"
            outcome.reject(
                shard, ASSET, caption.reason, request_key=answer.request_key, parent_id=None, raw=caption.raw, detail=detail
            )  # fmt: skip
            continue
        generated = {"caption": caption, "caption_source": captioner, "request_key": answer.request_key}
        outcome.rows.append(row | generated | {"ordinal": len(outcome.rows)})
    return outcome


def _named(row: Mapping) -> str:
    return canonical_json({"id": row["external_id"], "sha256": row["sha256"]})


def _how_to_mend(row: Mapping) -> str:
    return (
        f"picture {row['uri']} has no caption: write one into the source, or have one generated: bind the role `captioner` "
        "and set `captions: {allow_generated: true}` in the profile"
    )
