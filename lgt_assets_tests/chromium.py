"""A real browser without a window: the system's Chromium, driven by playwright; it reaches nothing but this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: apt-get install chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-quic",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
NO_PROXY_THERE = "http://127.0.0.1:1"  # whatever is asked of another host ends here
SECONDS = 120.0


def _is_here(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("file", "data", "blob", "about") or parts.hostname == "127.0.0.1"


@contextmanager
def running_browser(profile: Path) -> Iterator[Page]:
    """The page of a new browser with a profile folder of its own, which must not exist.

    Every wait ends after :data:`SECONDS`; a page that asked for anything of another host fails when the browser ends.
    """
    assert PROGRAM is not None
    asked: list[str] = []

    def note(request: Request) -> None:
        if not _is_here(request.url):
            asked.append(request.url)

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=PROGRAM, args=list(ARGUMENTS), proxy={"server": NO_PROXY_THERE, "bypass": "127.0.0.1"},
            timezone_id="UTC", locale="en-US", reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        context.on("request", note)
        try:
            yield context.pages[0]
        finally:
            context.close()
    assert not asked, f"the page asked other hosts: {asked[:5]}"
