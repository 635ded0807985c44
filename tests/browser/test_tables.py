"""Tables in a real browser: whole words in columns, labelled cells on small screens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from integration.models import Role
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.browser.arrivals import order_arrives
from tests.browser.conftest import Site
from tests.browser.reloading import reload_until

LISTS = ("runs", "runs/1/records", "records", "dead-letters", "activity", "tools/log", "fields", "history")
#: Words of cells that stand on two lines although only sentences may wrap; a hyphen may end a line.
BROKEN = r"""() => [...document.querySelectorAll(".wp-list-table :is(td, th)")].flatMap((cell) => {
  if (cell.matches(".cell-text")) return [];
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
  for (let node; (node = texts.nextNode());) for (const word of node.data.matchAll(/[^\s-]+/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word[0]);
  }
  return found;
})"""
#: Cells that show a label, or the colon behind one, and nothing else.
BARE = """() => [...document.querySelectorAll(".wp-list-table.stack td")].filter((cell) => {
  const label = getComputedStyle(cell, "::before").content;
  return cell.getClientRects().length && label !== "none" && !(cell.dataset.label && cell.childNodes.length);
}).map((cell) => cell.outerHTML)"""


@pytest.fixture
def filled(site: Site) -> str:
    """A connector with a run, records, dead letters and log entries; the address its pages begin with."""
    connector_id = site.connect()
    site.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    order_arrives(site, connector_id, "somebody.with-a.long-name@shop.example.com")
    page = site.page(Role.SUPPORT)
    page.goto(f"{site.url}/connectors/{connector_id}/dead-letters")
    reload_until(page, "1 dead letter found.")
    site.mautic.faults.clear()
    run_lifecycle.start(site.services, connector_id, "initial", trigger="administrator@shop.example.com")
    page.goto(f"{site.url}/connectors/{connector_id}/runs/1")
    reload_until(page, "Completed")
    return f"{site.url}/connectors/{connector_id}"


def test_words_of_columns_stay_whole(site: Site, filled: str) -> None:
    page = site.page(Role.SUPER)
    broken: dict[str, list[str]] = {}
    for place in (*(f"{filled}/{name}" for name in LISTS), f"{site.url}/audit", f"{site.url}/alerts"):
        page.goto(place)
        if not place.endswith("/alerts"):
            expect(page.locator(".wp-list-table tbody tr"), place).not_to_have_count(0)
        broken[place] = page.evaluate(BROKEN)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, place
    assert not {place: words for place, words in broken.items() if words}


def test_a_row_opens_its_page_wherever_it_is_clicked(site: Site, filled: str) -> None:
    page = site.page(Role.SUPPORT)
    for place, opened in (("runs", "runs/1"), ("records", "records/"), ("dead-letters", "records/")):
        # The last cell, a time that tells UTC when it is pointed at, and the row's own link by keyboard.
        for open_row in (
            lambda row: row.locator("td").last.click(position={"x": 2, "y": 2}, force=True),
            lambda row: row.locator("time").first.click(),
            lambda row: row.locator(".row-link").press("Enter"),
        ):
            page.goto(f"{filled}/{place}")
            open_row(page.locator(".wp-list-table tbody tr:has(time)").last)
            page.wait_for_url(lambda url, end=opened: f"/connectors/1/{end}" in url)
    page.goto(f"{filled}/dead-letters")
    box = page.locator("main tbody input[type=checkbox]").first
    box.check()
    expect(box).to_be_checked()
    expect(page).to_have_url(re.compile("/dead-letters$"))


def test_a_correlation_id_is_copied_whole_from_a_list(site: Site, filled: str) -> None:
    page = site.page(Role.SUPPORT, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{filled}/runs")
    page.get_by_role("button", name="Copy the correlation ID").first.click()
    expect(page.locator("[data-copy-value]").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    page.fill("header input[name=q]", copied[:8])
    page.press("header input[name=q]", "Enter")
    expect(page.locator("#run-correlation")).to_have_text(copied)


def test_no_cell_is_a_lone_label(site: Site, filled: str) -> None:
    page = site.page(Role.SUPER, viewport={"width": 360, "height": 740})
    for place in (*(f"{filled}/{name}" for name in LISTS), f"{site.url}/audit"):
        page.goto(place)
        assert page.evaluate(BARE) == [], place


#: Where the first row begins that is to be seen, and how many rows of the last table are.
ROWS = """() => {
  const seen = (row) => row.checkVisibility({ contentVisibilityAuto: true });
  const rows = [...document.querySelectorAll(".wp-list-table.stack tbody tr")].filter(seen);
  return [rows[0]?.getBoundingClientRect().top + scrollY, rows.length];
}"""


def test_a_small_screen_begins_with_the_list(site: Site, filled: str) -> None:
    page = site.page(Role.SUPER, viewport={"width": 360, "height": 740})
    for place in (*(f"{filled}/{name}" for name in LISTS if name != "fields"), f"{site.url}/audit"):
        page.goto(place)
        top, shown = page.evaluate(ROWS)
        assert top <= 600, place
        assert shown <= 25, place
    page.goto(f"{filled}/records")
    page.get_by_label("Show all rows of this page").check()
    page.wait_for_function(f"({ROWS})()[1] > 25")
    expect(page.locator("select[name=status]")).to_be_hidden()
    page.get_by_text("Filters", exact=True).click()
    page.select_option("select[name=status]", "success")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator("summary", has_text="Filters")).to_have_text("Filters set", use_inner_text=True)
    wide = site.page(Role.SUPER)
    wide.goto(f"{filled}/records")
    expect(wide.locator("select[name=status]")).to_be_visible()
    expect(wide.locator("summary", has_text="Filters")).to_be_hidden()


def test_back_shows_the_filter_that_holds(site: Site, filled: str) -> None:
    page = site.page(Role.SUPER)
    page.goto(f"{filled}/tools/log")
    page.select_option("select[name=status]", "error")
    page.fill("input[name=text]", "nothing has this")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator("main")).to_contain_text("No entry fits this filter.")
    page.go_back()
    expect(page.locator(".log-table tbody tr").first).to_be_visible()
    # The form is put right after the page is shown.
    expect(page.locator("select[name=status]")).to_have_value("")
    expect(page.locator("input[name=text]")).to_have_value("")
    page.go_forward()
    expect(page.locator("select[name=status]")).to_have_value("error")
    expect(page.locator("input[name=text]")).to_have_value("nothing has this")
