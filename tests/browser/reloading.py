"""Loading a page again until it says what another thread brings about."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

#: Ends a hopeless test, and is no measure of how long anything takes.
HOPELESS_S = 90


def reload_until(page: Page, words: str, there: bool = True) -> None:
    """Load a page again until its main part says these words, or with `there` False says them no more.

    Its scripts have run then: what is clicked next may be theirs.
    """
    ends = time.monotonic() + HOPELESS_S
    while (words in whole_text(page)) is not there:
        assert time.monotonic() < ends, f"“{words}” {'did not come' if there else 'stayed'}"
        page.wait_for_timeout(250)
        page.reload()
    page.wait_for_load_state()


def whole_text(page: Page) -> str:
    """Return what the main part of a page says, with single spaces, once its last line is there."""
    expect(page.locator("main > .foot")).to_be_attached()
    return " ".join((page.locator("main").text_content() or "").split())
