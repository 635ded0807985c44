"""Reading lists of orders and customers: whole, in order, resumable, and gentle to the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Any

from integration.errors import Rejected
from integration.events import Kind
from integration.mapping import field_map
from integration.settings.mapping import META
from integration.store import hidden_addresses, parse
from integration.store.answers import server_now, unreadable
from integration.store.asked import NOTHING, Asked
from integration.store.by_id import Parts, pick
from integration.store.client import StoreClient
from integration.store.pages import SIZES, Page
from integration.store.paginator import Crawl
from integration.store.rows import Row
from integration.store.windows import Window

__all__ = [
    "AT_ONCE",
    "CUSTOMER_INDEX_FIELDS",
    "LEDGER_FIELDS",
    "Page",
    "Parts",
    "customer_fields",
    "fetch_customers",
    "fetch_one",
    "fetch_order",
    "fetch_orders",
    "fetch_recurring",
    "order_fields",
    "read_customers",
    "read_orders",
    "read_recurring",
    "server_now",
]

#: Two requests at once are 1.8 times as fast as one, and more are not gentle to a shop.
AT_ONCE = 2
#: Enough for the order ledger; without line items a page costs the store a seventh to a tenth.
LEDGER_FIELDS = f"id,number,status,currency,total,customer_id,billing.email,{','.join(parse.DATE_FIELDS)},refunds"
#: Enough to see which customers moved: they have no modification window (woo:091 and woo:092).
CUSTOMER_INDEX_FIELDS = "id,email,date_modified_gmt,role"


def order_fields(asked: Asked = NOTHING, *, campaign: bool = False) -> str:
    """Return the `_fields` of an order: what parse.order looks at, and what the contact fields are made of.

    `campaign` asks by which link the buyer came, too; it stands among all of the order's meta data.
    """
    names = (*parse.ORDER_FIELDS, "billing", "coupon_lines", "line_items", "refunds", *((META,) if campaign else ()))
    return _fields(names, Kind.ORDER, asked)


def customer_fields(asked: Asked = NOTHING) -> str:
    """Return the `_fields` of a customer: what parse.customer looks at, and what the contact fields are made of."""
    return _fields((*parse.CUSTOMER_FIELDS, "billing"), Kind.CONTACT, asked)


def _fields(names: Sequence[str], kind: Kind, asked: Asked) -> str:
    return ",".join(dict.fromkeys((*names, *field_map.roots(kind), *asked.roots)))


def read_orders(
    client: StoreClient,
    *,
    statuses: Sequence[str],
    window: Window | None = None,
    fields: str = "",
    campaign: bool = False,
    start: Mapping[str, Any] | None = None,
    per_page: int = SIZES[0],
    parallel: int = AT_ONCE,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    ids: Sequence[int] | Parts | None = None,
    expected: int | None = None,
    pool: Executor | None = None,
) -> Iterator[Page]:
    """Yield pages of orders by id, at least one page, empty when there is nothing.

    `statuses` must be named one by one, for the default list has drafts in it (woo:035 and woo:460), except where `ids`
    say which orders are meant; `start` is the cursor of the last page that was taken. Without `fields` the orders are
    whole, with what the settings look at, and by which link their buyers came where that `campaign` is wanted. Where
    it is known how many are `expected`, those behind the first page are asked for together with it. Who reads more
    beside gives the `pool` for both. Raises ServiceError when the store as a whole does not answer, NotSetUp
    (email_hidden) when a CDN hides the addresses.
    """
    asked = client.access.asked_of(Kind.ORDER)
    created = Window(created_after, created_before).params("")
    status = None if ids is not None and not statuses else list(statuses)
    whole = order_fields(asked, campaign=campaign)
    params = {"status": status, "_fields": fields or whole, **(window or Window()).params(), **created}
    pages = _pages(client, "orders", params, start, per_page, parallel, ids, expected, pool)
    return pages if fields else _kept(pages, asked)


def read_recurring(
    client: StoreClient,
    *,
    window: Window | None = None,
    start: Mapping[str, Any] | None = None,
    per_page: int = SIZES[0],
    parallel: int = AT_ONCE,
) -> Iterator[Page]:
    """Yield pages of the store's subscriptions by id, in any status but the trash.

    Their controller is that of orders with another type, so windows and fields are the same (public source of
    woocommerce-subscriptions-core; not recorded). Raises as `read_orders` does.
    """
    params = {"_fields": order_fields(), **(window or Window()).params()}
    return hidden_addresses.refuse(client, Crawl(client, "subscriptions", params, per_page, parallel).pages(start))


def read_customers(
    client: StoreClient,
    *,
    fields: str = "",
    role: str = "all",
    start: Mapping[str, Any] | None = None,
    per_page: int = SIZES[0],
    parallel: int = AT_ONCE,
    ids: Sequence[int] | None = None,
    pool: Executor | None = None,
) -> Iterator[Page]:
    """Yield pages of customers by id; buyers with another role come only with role=all (woo:089).

    Without `fields` they are whole, with what the settings look at. Who reads more beside gives the `pool` for both.
    """
    asked = client.access.asked_of(Kind.CONTACT)
    params = {"role": role, "_fields": fields or customer_fields(asked)}
    pages = _pages(client, "customers", params, start, per_page, parallel, ids, pool=pool)
    return pages if fields else _kept(pages, asked)


def _pages(
    client: StoreClient,
    path: str,
    params: Mapping[str, Any],
    start: Mapping[str, Any] | None,
    per_page: int,
    parallel: int,
    ids: Sequence[int] | Parts | None,
    expected: int | None = None,
    pool: Executor | None = None,
) -> Iterator[Page]:
    if ids is not None:
        return hidden_addresses.refuse(client, pick(client, path, params, ids, start, pool))
    crawl = Crawl(client, path, params, per_page, parallel, expected, pool)
    return hidden_addresses.refuse(client, crawl.pages(start))


def _kept(pages: Iterator[Page], asked: Asked) -> Iterator[Page]:
    return (replace(page, rows=[asked.kept(row) for row in page.rows]) for page in pages)


def fetch_orders(client: StoreClient, ids: Sequence[int], fields: str = "") -> list[Row]:
    """Return these orders, 100 a call (woo:459); those in the trash or gone are left out.

    Raises the store's error when it cannot give one of them.
    """
    return _all(read_orders(client, statuses=(), fields=fields, ids=ids))


def fetch_recurring(client: StoreClient, ids: Sequence[int]) -> list[Row]:
    """Return these subscriptions of the store, 100 a call; those in the trash or gone are left out."""
    fields = {"_fields": order_fields()}
    return _all(hidden_addresses.refuse(client, pick(client, "subscriptions", fields, ids)))


def fetch_customers(client: StoreClient, ids: Sequence[int]) -> list[Row]:
    """Return these customers, 100 a call; those that are gone are left out.

    Raises the store's error when it cannot give one of them.
    """
    return _all(read_customers(client, ids=ids))


def fetch_order(client: StoreClient, order_id: int) -> Row | None:
    """Return one order, from the trash too, None when it is gone (woo:155 and woo:157)."""
    row = fetch_one(client, "orders", order_id)
    return row and client.access.asked_of(Kind.ORDER).kept(row)


def fetch_one(client: StoreClient, path: str, number: int) -> Row | None:
    """Return one record of a list ("orders", "subscriptions"), from the trash too, None when it is gone."""
    try:
        value, answer = client.get(f"{path}/{number}")
    except Rejected as error:
        if error.code == "gone":
            return None
        raise
    if not isinstance(value, dict):
        raise unreadable(answer)
    return value


def _all(pages: Iterator[Page]) -> list[Row]:
    rows: list[Row] = []
    for page in pages:
        for _, error in page.failed:
            raise error
        rows += page.rows
    return rows
