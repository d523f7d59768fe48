"""Phrases of a caption for a detector to look for, listed by the questioner: each is found again in the caption, or rejected."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lgt_assets.engines.base import Request
from lgt_assets.identity import seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import DetectSettings, Profile
from lgt_assets.synthesis.parsed import CUT_OFF, Rejected
from lgt_assets.synthesis.planned import Answered, Outcome, Planned

ASSET = "grounded_objects"
ROLE, TEMPLATE = "questioner", "phrases"
NO_PHRASES = "no_phrases"
NOT_IN_CAPTION = "phrase_not_in_caption"
NOT_IN_PHRASE = "label_not_in_phrase"
TOO_LONG = "phrase_too_long"
PARTED = "phrase_has_stop"
TWICE = "duplicate_phrase"
TOO_MANY = "too_many_phrases"
_PAIR = re.compile(r"<phrase>([^<>]*)</phrase>\s*<label>([^<>]*)</label>", re.IGNORECASE)
# What parts phrases in a detector's prompt.
_STOP = re.compile(r"[.?!;]")


@dataclass(frozen=True)
class Phrase:
    """Words of the caption as they stand there, and which of them name the kind of thing (in small letters)."""

    phrase: str
    label: str


def plan_phrases(images: Iterable[Mapping], *, profile: Profile, prompts: PromptSet) -> Iterator[Planned]:
    """One greedy request for each of ``images``, rows of that table."""
    sampling = replace(profile.role(ROLE).sampling.sampling(), temperature=0.0)
    template_hash, settings = prompts.template_hash(TEMPLATE), profile.detect
    for row in images:
        messages = prompts.messages(
            TEMPLATE, caption=row["caption"], most=settings.phrases, words=settings.phrase_words
        )
        request = Request(messages, sampling, seed_of(row["image_id"], TEMPLATE), template_hash=template_hash)
        yield Planned(request, {"image_id": row["image_id"], "caption": row["caption"]})


def parse_phrases(text: str, caption: str, *, finished: bool, settings: DetectSettings) -> list[Phrase | Rejected]:
    """What a reply lists, in its order; never empty.

    Reasons: ``no_phrases`` (the reply lists none), ``cut_off`` (its last one), ``phrase_too_long``, ``phrase_has_stop``,
    ``phrase_not_in_caption`` (as whole words, in any case), ``label_not_in_phrase``, ``duplicate_phrase``,
    ``too_many_phrases``.
    """
    items: list[Phrase | Rejected] = []
    seen: set[str] = set()
    end = 0
    for match in _PAIR.finditer(text):
        end = match.end()
        item = _judged(match[1], match[2], caption, seen, settings)
        items.append(item if isinstance(item, Phrase) else Rejected(item, match[0]))
        if isinstance(item, Phrase):
            seen.add(item.phrase.casefold())
    rest = text[end:].strip()
    if rest and not finished:
        items.append(Rejected(CUT_OFF, rest))
    return items or [Rejected(NO_PHRASES, text)]


def _judged(phrase: str, label: str, caption: str, seen: set[str], settings: DetectSettings) -> Phrase | str:
    """The phrase as the caption has it, or the reason why not."""
    if len(phrase.split()) > settings.phrase_words:
        return TOO_LONG
    if _STOP.search(phrase):
        return PARTED
    found = _find_words(phrase, caption)
    if found is None:
        return NOT_IN_CAPTION
    if _find_words(label, found) is None:
        return NOT_IN_PHRASE
    if found.casefold() in seen:
        return TWICE
    return TOO_MANY if len(seen) >= settings.phrases else Phrase(found, " ".join(label.lower().split()))


def _find_words(wanted: str, text: str) -> str | None:
    """``wanted`` as ``text`` has it, spaces made one; None where it is not there as whole words."""
    words = wanted.split()
    if not words:
        return None
    pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)"
    match = re.search(pattern, text, re.IGNORECASE)
    return " ".join(match[0].split()) if match else None


def build_phrases(
    shard: str, answered: Iterable[Answered], outcome: Outcome, *, settings: DetectSettings
) -> dict[str, list[Phrase]]:
    """Phrases by image_id; what is none is rejected in ``outcome`` with a reason of :func:`parse_phrases`."""
    phrases: dict[str, list[Phrase]] = {}
    for answer in answered:
        image_id, completion = answer.context["image_id"], answer.completion
        finished = completion.finish_reason != "length"
        items = parse_phrases(completion.text, answer.context["caption"], finished=finished, settings=settings)
        phrases[image_id] = [item for item in items if isinstance(item, Phrase)]
        outcome.asked += 1
        outcome.parsed += bool(phrases[image_id])
        for position, item in enumerate(items):
            if isinstance(item, Rejected):
                outcome.reject(
                    shard, ASSET, item.reason, request_key=answer.request_key, parent_id=image_id, raw=item.raw,
                    position=position,
                )  # fmt: skip
    return phrases
