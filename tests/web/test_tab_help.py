"""What a tab is for is said once on it, and lists begin without it."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import Person

TABS = {
    "connection": "Connection",
    "contacts": "Contact Sync",
    "orders": "Order Sync",
    "carts": "Abandoned Cart",
    "fields": "Mautic Fields",
    "tools": "Tools",
}


@pytest.mark.parametrize("path", TABS)
def test_each_tab_says_once_what_it_is_for(viewer: Person, connector_id: int, path: str) -> None:
    page = viewer.get(f"/connectors/{connector_id}/{path}").text
    [said] = re.findall(r'<details class="help"><summary>What is this\?</summary>(.*?)</details>', page, re.DOTALL)
    assert said.count("<p>") >= 2
    assert re.search(rf'aria-current="page">{TABS[path]}</a>', page)


@pytest.mark.parametrize("path", ["runs", "consents/list", "tools/log"])
def test_lists_begin_without_it(viewer: Person, connector_id: int, path: str) -> None:
    assert "What is this?" not in viewer.get(f"/connectors/{connector_id}/{path}").text
