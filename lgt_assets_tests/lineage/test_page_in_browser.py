"""The page in a real browser: its picture and style are in force, links reach what is folded, and nothing is fetched."""

import asyncio
from pathlib import Path

from lgt_assets.lineage.dossier import read_dossier
from lgt_assets.lineage.page import render_lineage
from lgt_assets.lineage.subject import find
from lgt_assets_tests.audit.test_page import ATTACK, plant
from lgt_assets_tests.chromium import needs_chromium, running_browser
from lgt_assets_tests.made_tables import made_id


async def look(page: Path, folder: Path) -> dict:
    found = {}
    async with running_browser(folder / "profile") as browser:
        await browser.open(page.as_uri())
        found["hacked"] = await browser.evaluate("window.hacked !== undefined")
        found["picture"] = await browser.evaluate("[...document.images].map((image) => image.naturalWidth)")
        found["stroke"] = await browser.evaluate("getComputedStyle(document.querySelector('rect.focus')).strokeWidth")
        found["fetched"] = await browser.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        row = f"document.getElementById('{made_id('distilled_cots', 0)}')"
        found["folded"] = await browser.evaluate(f"{row}.querySelector('details').open")
        await browser.click(f"#{made_id('distilled_cots', 0).replace('.', chr(92) + '.')} summary")
        found["unfolded"] = await browser.evaluate(f"{row}.querySelector('details').open")
    return found


@needs_chromium
def test_the_page_works_without_network_and_without_scripts(folder, store, tmp_path):
    plant(store, "composed_questions", question=ATTACK)
    page = tmp_path / "row.html"
    page.write_text(render_lineage(read_dossier(find(folder, made_id("expanded_traces")))), encoding="utf-8")
    found = asyncio.run(look(page, tmp_path))
    assert found["hacked"] is False and found["picture"] == [100] and found["stroke"] == "3px"
    assert [name for name in found["fetched"] if not name.startswith("data:")] == []
    assert found["folded"] is False and found["unfolded"] is True
