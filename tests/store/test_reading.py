"""Reading lists: everything, once, in order, whatever happens meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from integration.errors import ServerFault, Throttled
from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import seed_bulk
from integration.store import reading
from integration.store.client import StoreClient
from integration.store.windows import Window

ALL = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")


def ids(pages: object) -> list[int]:
    return [row["id"] for page in pages for row in page.rows]  # type: ignore[attr-defined]


def wanted(shop: StoreServer) -> list[int]:
    return sorted(row.id for row in shop.state.orders if row.status in ALL)


@pytest.fixture
def many(shop: StoreServer) -> StoreServer:
    seed_bulk(shop.state, customers=130, orders=460)
    return shop


def test_every_order_comes_once_and_in_order(many: StoreServer, client: StoreClient) -> None:
    assert ids(reading.read_orders(client, statuses=ALL)) == wanted(many)


def test_every_customer_comes_once(many: StoreServer, client: StoreClient) -> None:
    found = ids(reading.read_customers(client))
    assert len(found) == len(set(found)) >= 130
    assert found == sorted(found)


def test_an_empty_list_is_one_empty_page(client: StoreClient) -> None:
    pages = list(reading.read_orders(client, statuses=ALL))
    assert [(page.rows, page.total) for page in pages] == [([], 0)]
    assert pages[0].began is not None


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_reading_goes_on_behind_any_cursor(many: StoreServer, client: StoreClient, stop: int) -> None:
    first = []
    for page in reading.read_orders(client, statuses=ALL):
        first.append(page)
        if len(first) == stop:
            break
    cursor = json.loads(json.dumps(first[-1].cursor))
    rest = reading.read_orders(client, statuses=ALL, start=cursor)
    assert ids(first) + ids(rest) == wanted(many)


def test_rows_that_leave_the_list_meanwhile_hide_no_others(many: StoreServer, client: StoreClient) -> None:
    before = wanted(many)
    seen: list[int] = []
    for number, page in enumerate(reading.read_orders(client, statuses=ALL, parallel=1)):
        seen += [row["id"] for row in page.rows]
        if number < 2:
            for gone in seen[number * 50 : number * 50 + 30]:
                many.shop.trash(gone)
    assert sorted(set(before) - set(seen)) == []
    assert len(seen) == len(set(seen))


def test_a_page_that_is_too_large_is_read_in_smaller_ones(many: StoreServer, client: StoreClient) -> None:
    many.faults.command({"kind": "status", "value": 500, "path": "/wp-json/wc/v3/orders", "times": 2})
    pages = list(reading.read_orders(client, statuses=ALL, parallel=1))
    assert ids(pages) == wanted(many)
    assert min(page.per_page for page in pages) < 100


def test_a_store_that_fails_always_ends_the_reading(many: StoreServer, client: StoreClient) -> None:
    many.faults.command({"kind": "status", "value": 500})
    with pytest.raises(ServerFault):
        list(reading.read_orders(client, statuses=ALL))


def test_maintenance_is_told_with_its_wait(many: StoreServer, client: StoreClient) -> None:
    many.mode = "maintenance"
    with pytest.raises(Throttled) as caught:
        list(reading.read_orders(client, statuses=ALL))
    assert (caught.value.code, caught.value.retry_after) == ("maintenance", 600)


def test_a_window_loses_nothing_when_many_share_its_second(many: StoreServer, client: StoreClient) -> None:
    edge = datetime.fromisoformat(many.shop.shown(wanted(many)[-1])["date_modified_gmt"]).replace(tzinfo=UTC)
    changed = ids(reading.read_orders(client, statuses=ALL, window=Window(edge, None)))
    since = [
        n for n in wanted(many) if many.shop.shown(n)["date_modified_gmt"] >= edge.replace(tzinfo=None).isoformat()
    ]
    assert set(since) <= set(changed)
    assert wanted(many)[-1] in changed
    assert ids(reading.read_orders(client, statuses=ALL, window=Window(edge - timedelta(days=9000), None))) == wanted(
        many
    )


def test_records_are_fetched_by_their_ids_and_those_that_are_gone_are_left_out(
    many: StoreServer, client: StoreClient
) -> None:
    some = wanted(many)[:150]
    assert sorted(row["id"] for row in reading.fetch_orders(client, [*some, 10**8])) == some
    assert reading.fetch_order(client, 10**8) is None


def test_a_trashed_order_can_still_be_read_alone(many: StoreServer, client: StoreClient) -> None:
    number = wanted(many)[0]
    many.shop.trash(number)
    found = reading.fetch_order(client, number)
    assert found is not None
    assert found["status"] == "trash"


def test_dates_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Window(datetime(2026, 1, 1))
