"""Dagit with a real mouse on the real web server and daemon; the pictures in the documentation are taken here.

LGT_WRITE_SCREENSHOTS=1 (make screenshots) writes them to docs/images; otherwise they go to a temporary folder, and what they show
is compared with what the pictures in docs/images were taken for.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize

from lgt_assets.storage import DeltaStore
from lgt_assets_tests.chromium import needs_chromium, running_browser
from lgt_assets_tests.dagit import running_dagit
from lgt_assets_tests.dagit_pages.launching import LAUNCHED, REFUSED
from lgt_assets_tests.dagit_pages.pictures import FOLDER, MOST_BYTES, words_of, write_picture
from lgt_assets_tests.dagit_pages.state import BEGUN, ENVIRONMENT, SHARDS, SOURCES, WHOLE, make_state
from lgt_assets_tests.dagit_pages.steps import STEPS, Step
from lgt_assets_tests.dagit_pages.view import settle

SIZE: ViewportSize = {"width": 1280, "height": 880}
WRITES = os.environ.get("LGT_WRITE_SCREENSHOTS") == "1"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dagit")
    make_state(folder / ".lgt")
    return folder / ".lgt"


@pytest.fixture
def page(state: Path, tmp_path: Path) -> Iterator[tuple[Page, str]]:
    with (
        running_dagit(state, tmp_path / "dagit.log", ENVIRONMENT) as dagit,
        running_browser(tmp_path / "profile") as page,
    ):
        yield page, dagit.url


def take(page: Page, url: str, step: Step, folder: Path) -> list[str]:
    """Walk one step and write its picture; the words it shows. A step that fails leaves its picture in ``folder`` too."""
    page.set_viewport_size(SIZE)
    try:
        view = step.walk(page, url)
        settle(page)
    except Exception as error:
        page.screenshot(path=folder / f"failed-{step.file}")
        error.add_note(f"step {step.name}; see {folder / f'failed-{step.file}'}")
        raise
    write_picture(folder / step.file, page.screenshot(clip=view.part), view.words)
    return view.words


@needs_chromium
@pytest.mark.slow
def test_dagit_tells_the_story(page: tuple[Page, str], state: Path, tmp_path: Path) -> None:
    folder = FOLDER if WRITES else tmp_path
    shown = {step.file: take(*page, step, folder) for step in STEPS}

    store = DeltaStore(str(state / "tables"))
    assert set(store.read(LAUNCHED)["shard"]) == {WHOLE, BEGUN}
    assert {name: sorted(store.read(name)["shard"].unique()) for name in SOURCES} == dict.fromkeys(SOURCES, SHARDS)
    assert set(store.read(REFUSED)["shard"]) == {WHOLE}

    assert all((folder / name).stat().st_size <= MOST_BYTES for name in shown)
    assert all((FOLDER / name).is_file() for name in shown), (
        "docs/images lacks pictures: `make screenshots`, look, commit"
    )
    stale = {
        name: (words_of(FOLDER / name), words) for name, words in shown.items() if words_of(FOLDER / name) != words
    }
    assert not stale, (
        f"pictures in docs/images show other things than Dagit does now: `make screenshots`, look, commit: {stale}"
    )
