"""Steps of the tour that read what is there: metadata, previews, checks, lineage."""

from playwright.sync_api import Locator, Page, expect

from lgt_assets.definitions import defs
from lgt_assets_tests.dagit_pages.state import WHOLE
from lgt_assets_tests.dagit_pages.view import View

TABLE, PREVIEWED = "expanded_traces", "composed_questions"
WIDE, HIGH = 1600, 1000  # for rows with many columns
AWAY = (640, 700)  # where the mouse is over nothing that explains itself
UPSTREAM = ["images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", TABLE]


def open_shard(page: Page, url: str) -> View:
    """From the catalog to an asset's Partitions, and there to one shard."""
    page.goto(f"{url}/assets/{TABLE}")
    page.get_by_role("tab", name="Partitions").click()
    page.get_by_text(WHOLE, exact=True).first.click()
    entry(page, "preview").wait_for()
    entry(page, "funnel").scroll_into_view_if_needed()
    names = unless_rejected(page.locator("table tr td:first-child").all_inner_texts())
    return View(list(dict.fromkeys(names)))


def open_plots(page: Page, url: str) -> View:
    """The plots behind their link in the metadata."""
    dialog = open_entry(page, url, TABLE, "plots")
    wait_for_pictures(dialog)
    return View(["plots"], dialog.bounding_box())


def open_preview(page: Page, url: str) -> View:
    """The preview behind its link in the metadata, when all its pictures are there."""
    page.set_viewport_size({"width": WIDE, "height": HIGH})
    dialog = open_entry(page, url, PREVIEWED, "preview")
    wait_for_pictures(dialog)
    headings = dialog.locator("th").all_inner_texts()
    dialog.evaluate("(shown) => shown.scrollIntoView({block: 'start'})")
    box = dialog.bounding_box()
    assert box
    shown = {"x": box["x"], "y": max(box["y"], 0), "width": box["width"], "height": min(box["height"], HIGH)}
    return View(list(dict.fromkeys(headings)), shown)


def open_checks(page: Page, url: str) -> View:
    """An asset's Checks, one of them opened: it passed."""
    page.goto(f"{url}/assets/{PREVIEWED}")
    page.get_by_role("tab", name="Checks").click()
    expect(page.get_by_text("About", exact=True)).to_be_visible()
    names = sorted(
        key.name for key in defs.resolve_asset_graph().asset_check_keys if key.asset_key.to_user_string() == PREVIEWED
    )
    for name in names:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    page.get_by_text("schema", exact=True).first.click()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    return View(names)


def open_column_lineage(page: Page, url: str) -> View:
    """The table of what each column is made from, in an asset's Overview."""
    page.goto(f"{url}/assets/{TABLE}")
    entry(page, "column lineage").get_by_text("Show Markdown").click()
    return table_in(page.get_by_role("dialog"))


def open_lineage(page: Page, url: str) -> View:
    """An asset's Lineage: everything above it."""
    page.goto(f"{url}/assets/{TABLE}")
    page.get_by_role("tab", name="Lineage").click()
    page.get_by_role("button", name="Upstream").click()
    for name in UPSTREAM:
        expect(page.get_by_text(name, exact=True).last).to_be_visible()
    return View(UPSTREAM)


def open_automation(page: Page, url: str) -> View:
    """The list of sensors."""
    page.goto(url)
    page.get_by_role("link", name="schedule").click()
    page.mouse.move(*AWAY)
    names = sorted(sensor.name for sensor in defs.get_repository_def().sensor_defs)
    for name in names:
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    return View(names)


def entry(page: Page, name: str) -> Locator:
    """The row of one metadata entry."""
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))


def open_entry(page: Page, url: str, table: str, name: str) -> Locator:
    """The dialog with one markdown entry of a table's materialization."""
    page.goto(f"{url}/assets/{table}?view=partitions&partition={WHOLE}")
    entry(page, name).get_by_text("Show Markdown").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    return dialog


def table_in(dialog: Locator) -> View:
    """A dialog with a table, and the words in its first column."""
    dialog.locator("td").first.wait_for()
    return View(unless_rejected(dialog.locator("tr td:first-child").all_inner_texts()), dialog.bounding_box())


def unless_rejected(names: list[str]) -> list[str]:
    """All but reasons of rejection: which of them occur depends on what the model wrote, on this machine."""
    return [name for name in names if not name.startswith("rejected")]


def wait_for_pictures(dialog: Locator) -> None:
    """Until the dialog has pictures, and each is drawn."""
    dialog.locator("img").first.wait_for()
    for picture in dialog.locator("img").all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)
