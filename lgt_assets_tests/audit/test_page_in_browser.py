"""The page in a real browser: what is clicked is in the file that is downloaded, and that file can be scored."""

import asyncio
import json
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets_tests.audit.test_page import ATTACK, plant
from lgt_assets_tests.chromium import needs_chromium, running_browser
from lgt_assets_tests.made_tables import made_id

COTS = [made_id("distilled_cots", number) for number in range(2)]


def article(row_id: str) -> str:
    return f'article[data-row-id="{row_id}"] '


async def judge(page: Path, folder: Path) -> tuple[dict, list[dict], Path]:
    """Judge two rows, reload, change one, download; what the page said on the way, and the verdicts of both downloads."""
    said = {}
    async with running_browser(folder / "profile") as browser:
        await browser.open(page.as_uri())
        said["hacked"] = await browser.evaluate("window.hacked === undefined")
        said["pictures"] = await browser.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
        await browser.click("#download")
        said["nameless"] = await browser.evaluate("document.getElementById('status').textContent")
        await browser.write("#auditor", "Ada")
        await browser.click(article(COTS[0]) + '[data-verdict="right"]')
        await browser.click(article(COTS[1]) + '[data-verdict="wrong"]')
        said["unfinished"] = await browser.evaluate("document.getElementById('status').textContent")
        await browser.click(article(COTS[1]) + '[data-kind="logic"]')
        await browser.write(article(COTS[1]) + ".note", '"quoted" <b>')
        first = await browser.download("#download", folder)
        verdicts = [json.loads(line) for line in first.read_text().splitlines()]
        await browser.open(page.as_uri())
        said["kept"] = await browser.evaluate("document.getElementById('status').textContent")
        await browser.click(article(COTS[1]) + '[data-kind="wrong_key"]')
        second = await browser.download("#download", folder)
    return said, verdicts, second


@needs_chromium
def test_verdicts_are_kept_downloaded_and_scored(store, tmp_path, capsys):
    plant(store, "composed_questions", question=ATTACK)
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ending:
        main(["audit", "sample", "--table", "distilled_cots", "--n", "2", "--output", str(page)])
    assert not ending.value.code
    said, verdicts, file = asyncio.run(judge(page, tmp_path))
    assert said["hacked"] is True and said["pictures"] is True
    assert said["nameless"] == "Write your name first"
    assert said["unfinished"] == "1 of 2 judged; 1 wrong without a kind"
    assert said["kept"] == "2 of 2 judged"
    found = {
        row["row_id"]: (row["auditor"], row["table"], row["verdict"], row["error_kind"], row["note"])
        for row in verdicts
    }
    assert found == {
        COTS[0]: ("Ada", "distilled_cots", "right", None, ""),
        COTS[1]: ("Ada", "distilled_cots", "wrong", "logic", '"quoted" <b>'),
    }
    capsys.readouterr()
    with pytest.raises(SystemExit) as ending:
        main(["audit", "score", str(file), "--json"])
    assert not ending.value.code
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["audits"]["distilled_cots"]
    assert (summary["rows"], summary["wrong"], set(summary["kinds"])) == (2, 1, {"wrong_key"})
