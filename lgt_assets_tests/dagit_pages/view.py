"""What one step of the tour ends with."""

from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import FloatRect, Page, TimeoutError

IDLE_MILLISECONDS = 10_000
# allSettled: an animation that is cancelled is over as well.
MOVED = """Promise.allSettled(document.getAnimations()
    .filter((moving) => moving.effect.getComputedTiming().iterations !== Infinity).map((moving) => moving.finished))"""


@dataclass(frozen=True)
class View:
    """What a picture is taken of.

    ``words``: what the picture is there to show, read from the page; nothing that another machine or moment would change.
    ``part``: the rectangle of the page that the picture shows, in pixels; all of it by default.
    """

    words: list[str]
    part: FloatRect | None = None


def settle(page: Page) -> None:
    """Until what was asked of the server is there, and what was fading in is; a page that polls without end is taken as it is."""
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=IDLE_MILLISECONDS)
    page.evaluate(MOVED)
