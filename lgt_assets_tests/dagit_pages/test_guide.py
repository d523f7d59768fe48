"""docs/dagit.md shows the pictures of the tour, all of them, in its order and under its captions."""

import re
from pathlib import Path

from lgt_assets_tests.dagit_pages.pictures import FOLDER, MOST_BYTES, taken_pictures, words_of
from lgt_assets_tests.dagit_pages.steps import STEPS

ROOT = FOLDER.parents[1]
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown_in(page: Path) -> list[tuple[str, Path]]:
    """Caption and file of every picture that a page shows."""
    found = SHOWN.findall(page.read_text(encoding="utf-8"))
    return [(caption, (page.parent / name).resolve()) for caption, name in found if "://" not in name]


def test_the_guide_follows_the_tour() -> None:
    assert shown_in(ROOT / "docs/dagit.md") == [(step.caption, FOLDER / step.file) for step in STEPS]


def test_every_picture_that_a_page_shows_is_there() -> None:
    missing = [(page.name, file.name) for page in PAGES for _, file in shown_in(page) if not file.is_file()]
    assert not missing


def test_every_picture_is_shown() -> None:
    shown = {file for page in PAGES for _, file in shown_in(page)}
    assert set(FOLDER.iterdir()) <= shown


def test_pictures_are_small_and_say_what_they_were_taken_for() -> None:
    assert {path.name for path in taken_pictures()} == {step.file for step in STEPS}
    for path in taken_pictures():
        assert path.stat().st_size <= MOST_BYTES, path.name
        assert words_of(path), path.name
