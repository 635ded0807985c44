"""What PHP, plugins and caches print around whole answers costs no record, no hold and no second write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.sandbox.store import StoreServer
from integration.store import discovery
from integration.store.access import StoreAccess
from tests.road.conftest import Road

BEHIND = ["\n<!-- cached -->", "<br />\n<b>Warning</b>: x in y.php on line <b>3</b><br />\n", "0"]


@pytest.mark.parametrize("mautic", ["5.2.1", "7.0.0"], indirect=True)
@pytest.mark.parametrize("text", BEHIND)
def test_what_is_printed_behind_an_answer_holds_nothing(make_road: Callable[..., Road], text: str) -> None:
    road = make_road()
    order = road.order("ada@example.com")
    for end in (road.store, road.mautic):
        end.faults.suffix(text)
    run = road.run("initial")
    assert (run.state, run.failed) == ("COMPLETED", 0)
    assert road.mautic.state.contact("ada@example.com") is not None
    assert (road.holds(), road.states() - {"skipped"}) == ([], {"delivered"})
    assert [row.source_id for row in road.deliveries() if row.kind == "order"] == [str(order["id"])]
    assert len([call for call in road.mautic.calls if "batch/new" in call.path]) == 1


@pytest.mark.parametrize("text", BEHIND)
def test_a_store_whose_index_has_print_behind_it_is_wordpress(store: StoreServer, text: str) -> None:
    store.faults.suffix(text)
    key, secret = store.credentials.key, store.credentials.secret
    found = discovery.discover(StoreAccess(store.url, key, secret))
    assert found.has_woocommerce
