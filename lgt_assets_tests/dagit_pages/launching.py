"""Steps of the tour that launch something: a run of one shard, a backfill, a run that the gate refuses."""

import re

from playwright.sync_api import Locator, Page, expect

from lgt_assets.definitions import defs
from lgt_assets_tests.dagit_pages.state import BEGUN, SHARDS, SOURCES, UNTOUCHED
from lgt_assets_tests.dagit_pages.view import View

LAUNCHED, REFUSED = "seed_questions", "composed_questions"
NOTICE = re.compile(r"Launched run\s+([0-9a-f]{8})")
RUN_MILLISECONDS = 180_000


def asset_names() -> list[str]:
    """All assets of the code location, sorted."""
    return sorted(key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys())


def node(page: Page, name: str) -> Locator:
    """An asset's box in the graph; the same name may stand in the list beside the graph."""
    return page.get_by_text(name, exact=True).last


def open_graph(page: Page, url: str) -> View:
    """From the front page to the graph, all groups opened."""
    page.goto(url)
    page.get_by_role("link", name="Lineage").click()
    page.get_by_role("button", name="Hide navigation").click()
    page.locator("#zoom-slider-container").get_by_label("settings").click()
    page.get_by_role("menuitem").filter(has_text="Expand all groups").click()
    node(page, "release").wait_for()
    page.reload()  # what was opened is remembered, and the graph is fitted into the window
    names = asset_names()
    for name in names:
        expect(node(page, name)).to_be_visible()
    page.get_by_label("panel_show_right").last.click()  # hides the list beside the graph
    return View(names)


def choose_shard(page: Page, url: str) -> View:
    """A click on a box of the graph, Materialize, and one shard in the dialog."""
    node(page, LAUNCHED).click()
    dialog = open_dialog(page, "Materialize selected")
    choose(page, dialog, BEGUN)
    title = f"Launch runs to materialize {LAUNCHED}"
    expect(dialog.get_by_text(title)).to_be_visible()
    launch = dialog.get_by_role("button", name="Launch 1 run")
    expect(launch).to_be_enabled()
    return View([title, BEGUN, launch.inner_text()])


def see_run_succeed(page: Page, url: str) -> View:
    """Launch what the dialog before has, follow its notice to the run, and wait for the run's end."""
    page.get_by_role("button", name="Launch 1 run").click()
    follow_notice(page, url)
    expect(page.get_by_text("Success", exact=True)).to_be_visible(timeout=RUN_MILLISECONDS)
    event = page.get_by_text("ASSET_MATERIALIZATION", exact=True).first
    expect(event).to_be_visible()
    return View(["Success", LAUNCHED, event.inner_text()])


def backfill_missing(page: Page, url: str) -> View:
    """Two boxes chosen together, their missing shards, and the backfill until all of them are there."""
    page.goto(f"{url}/asset-groups")
    node(page, SOURCES[0]).click()
    node(page, SOURCES[1]).click(modifiers=["Shift"])
    dialog = open_dialog(page, "Materialize selected (2)")
    dialog.get_by_role("button", name="Missing", exact=True).click()
    expect(dialog.get_by_text(f"{len(UNTOUCHED)} partitions")).to_be_visible()
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_be_hidden()
    page.goto(f"{url}/runs?tab=backfills")
    page.locator("a[href*='/runs/b/']").first.click()
    expect(page.get_by_text("100% completed")).to_have_count(len(SOURCES), timeout=RUN_MILLISECONDS)
    expect(page.get_by_text("Succeeded", exact=True).first).to_be_visible()
    return View([*SOURCES, f"{len(UNTOUCHED)} partitions", "100% completed"])


def see_gate_refuse(page: Page, url: str) -> View:
    """A shard whose upstream was never made, launched from its asset's page: the run fails and says what to do."""
    page.goto(f"{url}/assets/{REFUSED}")
    dialog = open_dialog(page, "Materialize")
    choose(page, dialog, SHARDS[-1])
    dialog.get_by_role("button", name="Launch 1 run").click()
    follow_notice(page, url)
    expect(page.get_by_text("Failure", exact=True)).to_be_visible(timeout=RUN_MILLISECONDS)
    page.get_by_role("button", name="View full message").first.click()
    dialog = page.get_by_role("dialog")
    message = dialog.get_by_text(f"{LAUNCHED} has no shard").first
    box, text = dialog.bounding_box(), message.bounding_box()
    assert box and text
    # Below the message is the stack, with paths of this machine.
    part = {"x": box["x"], "y": box["y"], "width": box["width"], "height": text["y"] + text["height"] + 4 - box["y"]}
    return View([message.inner_text().strip()], part)


def open_dialog(page: Page, button: str) -> Locator:
    """The launch dialog behind a button."""
    page.get_by_role("button", name=button).first.click()
    dialog = page.get_by_role("dialog").filter(has_text="Partition selection")
    dialog.wait_for()
    return dialog


def choose(page: Page, dialog: Locator, shard: str) -> None:
    """Mark one shard in the dialog's list, and close the list."""
    dialog.get_by_text("Select a partition").click()
    page.get_by_role("menuitem", name=shard).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name=shard)).to_be_hidden()


def follow_notice(page: Page, url: str) -> None:
    """Read in the notice which run was launched (it is gone soon), and open it from the list of runs."""
    run = NOTICE.search(page.get_by_text(NOTICE).first.inner_text())
    assert run
    page.goto(f"{url}/runs")
    page.get_by_role("link", name=run[1]).click()
    page.wait_for_url("**/runs/*")
