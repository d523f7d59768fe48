"""The page in a real browser: its picture and style are in force, links reach what is folded, and nothing is fetched."""

from pathlib import Path

from lgt_assets.lineage.dossier import read_dossier
from lgt_assets.lineage.page import render_lineage
from lgt_assets.lineage.subject import find
from lgt_assets_tests.audit.test_page import ATTACK, plant
from lgt_assets_tests.chromium import needs_chromium, running_browser
from lgt_assets_tests.made_tables import made_id


def look(page: Path, folder: Path) -> dict:
    found = {}
    with running_browser(folder / "profile") as browser:
        browser.goto(page.as_uri())
        found["hacked"] = browser.evaluate("window.hacked !== undefined")
        found["picture"] = browser.evaluate("[...document.images].map((image) => image.naturalWidth)")
        found["stroke"] = browser.evaluate("getComputedStyle(document.querySelector('rect.focus')).strokeWidth")
        found["fetched"] = browser.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        row = browser.locator(f"[id='{made_id('distilled_cots', 0)}']")
        details = row.locator("details").first
        found["folded"] = details.get_attribute("open") is None
        row.locator("summary").first.click()
        found["unfolded"] = details.get_attribute("open") is not None
    return found


@needs_chromium
def test_the_page_works_without_network_and_without_scripts(folder, store, tmp_path):
    plant(store, "composed_questions", question=ATTACK)
    page = tmp_path / "row.html"
    page.write_text(render_lineage(read_dossier(find(folder, made_id("expanded_traces")))), encoding="utf-8")
    found = look(page, tmp_path)
    assert found["hacked"] is False and found["picture"] == [100] and found["stroke"] == "3px"
    assert [name for name in found["fetched"] if not name.startswith("data:")] == []
    assert found["folded"] and found["unfolded"]
