"""The page in a real browser: what is clicked is in the file that is downloaded, and that file can be scored."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lgt_assets.cli import main
from lgt_assets_tests.audit.test_page import ATTACK, plant
from lgt_assets_tests.chromium import needs_chromium, running_browser
from lgt_assets_tests.made_tables import made_id

COTS = [made_id("distilled_cots", number) for number in range(2)]


def article(page: Page, row_id: str) -> Locator:
    return page.locator(f'article[data-row-id="{row_id}"]')


def download(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.locator("#download").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def judge(page: Page, address: str, folder: Path) -> tuple[Path, Path]:
    """Judge two rows, reload, change one; the files of both downloads."""
    status = page.locator("#status")
    page.goto(address)
    assert page.evaluate("window.hacked === undefined")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    page.locator("#download").click()
    expect(status).to_have_text("Write your name first")
    page.locator("#auditor").fill("Ada")
    article(page, COTS[0]).locator('[data-verdict="right"]').click()
    article(page, COTS[1]).locator('[data-verdict="wrong"]').click()
    expect(status).to_have_text("1 of 2 judged; 1 wrong without a kind")
    article(page, COTS[1]).locator('[data-kind="logic"]').click()
    article(page, COTS[1]).locator(".note").fill('"quoted" <b>')
    first = download(page, folder / "first")
    page.goto(address)
    expect(status).to_have_text("2 of 2 judged")
    article(page, COTS[1]).locator('[data-kind="wrong_key"]').click()
    return first, download(page, folder / "second")


@needs_chromium
def test_verdicts_are_kept_downloaded_and_scored(store, tmp_path, capsys):
    plant(store, "composed_questions", question=ATTACK)
    path = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ending:
        main(["audit", "sample", "--table", "distilled_cots", "--n", "2", "--output", str(path)])
    assert not ending.value.code
    with running_browser(tmp_path / "profile") as page:
        first, second = judge(page, path.as_uri(), tmp_path)
    found = {
        row["row_id"]: (row["auditor"], row["table"], row["verdict"], row["error_kind"], row["note"])
        for row in map(json.loads, first.read_text().splitlines())
    }
    assert found == {
        COTS[0]: ("Ada", "distilled_cots", "right", None, ""),
        COTS[1]: ("Ada", "distilled_cots", "wrong", "logic", '"quoted" <b>'),
    }
    capsys.readouterr()
    with pytest.raises(SystemExit) as ending:
        main(["audit", "score", str(second), "--json"])
    assert not ending.value.code
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["audits"]["distilled_cots"]
    assert (summary["rows"], summary["wrong"], set(summary["kinds"])) == (2, 1, {"wrong_key"})
