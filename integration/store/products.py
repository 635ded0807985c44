"""What the shop says of products now: their names, prices, pictures and pages, a hundred a call.

The Store API tells them as shoppers see them and needs no key; variations come only when they are asked for by type
(storefront:021 to storefront:023). Where a shop has shut it, wc/v3 tells prices as they were entered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration.errors import Held, MappingError, ServiceError, Throttled, Unreachable
from integration.http.transport import Answer
from integration.store.answers import unreadable
from integration.store.by_id import pick
from integration.store.client import StoreClient
from integration.store.pages import Page
from integration.store.paginator import Crawl
from integration.store.php_values import amount, decoded, map_of, whole
from integration.store.rows import Row, rows_of, sifted
from integration.store.sanitizing import text_of

#: So many ids are asked for in one call, which is the longest page there is (woo:459).
ASKED_MAX = 100
#: A currency has no more decimals than this; more is no number of decimals.
MINOR_UNIT_MAX = 8
_CHOICE = re.compile(r",\s+(?=[^,:]+:)")
_V3_FIELDS = "id,name,price,permalink,images,stock_status,status"


@dataclass(frozen=True, slots=True)
class Product:
    """A product or variation; `choices` are the values that a variation fixes, `currency` is "" where it is not told.

    `parent_id` is the product of a variation, else 0. `price` is that of one piece, as the shop shows it, None where it
    cannot be read.
    """

    id: int
    name: str
    price: Decimal | None
    currency: str = ""
    parent_id: int = 0
    choices: tuple[str, ...] = ()
    in_stock: bool = True
    image: str = ""
    link: str = ""


def read_products(client: StoreClient, ids: Collection[int]) -> dict[int, Product]:
    """Return id -> product or variation; one that is not to be had in the shop is missing. Raises ServiceError."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    try:
        return _public(client, wanted)
    except (Unreachable, Throttled, Held):
        raise
    except ServiceError:
        # A firewall, a plugin or the shop's own limit stands before the Store API.
        return _by_key(client, wanted)


def _public(client: StoreClient, wanted: Sequence[int]) -> dict[int, Product]:
    found: dict[int, Product] = {}
    for kind in (None, "variation"):
        rest = [number for number in wanted if number not in found]
        for part in _parts(rest):
            params = {"include": part, "per_page": ASKED_MAX, "type": kind}
            value, answer = client.get_public("products", params)
            found |= _listed(value, answer, set(part), _of_storefront)
    return found


def _by_key(client: StoreClient, wanted: Sequence[int]) -> dict[int, Product]:
    """Ask wc/v3, whose list of products has no variations: those are found by way of their products (woo:124)."""
    found = {row["id"]: _of_v3(row) for row in _rows(pick(client, "products", {"_fields": _V3_FIELDS}, wanted))}
    missing = set(wanted) - found.keys()
    for parent in _parents(client) if missing else ():
        found |= _variations(client, parent, missing.intersection(_numbers(parent.get("variations"))))
    return found


def _variations(client: StoreClient, parent: Row, wanted: Collection[int]) -> dict[int, Product]:
    if not wanted:
        return {}
    params = {"include": sorted(wanted), "per_page": ASKED_MAX}
    rows = sifted(rows_of(*client.get(f"products/{parent['id']}/variations", params)))[0]
    return {row["id"]: _of_v3(row, parent) for row in rows if row["id"] in wanted}


def _parents(client: StoreClient) -> Iterator[Row]:
    """Yield the products that have variations, with their ids."""
    params = {"type": "variable", "_fields": "id,name,variations,status"}
    return _rows(Crawl(client, "products", params, ASKED_MAX, 1).pages())


def _rows(pages: Iterable[Page]) -> Iterator[Row]:
    """Yield what is published; raises the error of what the store could not give."""
    for page in pages:
        for _, error in page.failed:
            raise error
        yield from (row for row in page.rows if row.get("status", "publish") == "publish")


def _numbers(value: Any) -> set[int]:
    return {whole(each) for each in value} if isinstance(value, list) else set()


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    yield from (ids[start : start + ASKED_MAX] for start in range(0, len(ids), ASKED_MAX))


def _listed(
    value: Any, answer: Answer, asked: Collection[int], read: Callable[[Mapping[str, Any]], Product]
) -> dict[int, Product]:
    """Return the products of a list; raises ServerFault where it has others than were asked for."""
    rows = sifted(rows_of(value, answer))[0]
    if not {row["id"] for row in rows} <= set(asked):
        raise unreadable(answer)
    return {row["id"]: read(row) for row in rows}


def _of_storefront(row: Mapping[str, Any]) -> Product:
    prices = map_of(row.get("prices")) or {}
    unit = min(whole(prices.get("currency_minor_unit")), MINOR_UNIT_MAX)
    return Product(
        id=row["id"],
        name=decoded(row.get("name")),
        price=_price(prices.get("price"), unit),
        currency=text_of(prices.get("currency_code")).upper()[:10],
        parent_id=whole(row.get("parent")),
        choices=_fixed(decoded(row.get("variation"))),
        in_stock=row.get("is_in_stock") is not False,
        image=_picture(row),
        link=text_of(row.get("permalink")),
    )


def _of_v3(row: Mapping[str, Any], parent: Mapping[str, Any] | None = None) -> Product:
    """Return a product, or the variation of a parent."""
    attributes = row.get("attributes") if parent is not None else None
    options = (decoded((map_of(each) or {}).get("option")) for each in attributes or ())
    return Product(
        id=row["id"],
        name=decoded((parent or row).get("name")),
        price=_price(row.get("price")),
        parent_id=parent["id"] if parent is not None else 0,
        choices=tuple(filter(None, options)),
        in_stock=row.get("stock_status") != "outofstock",
        image=_picture(row),
        link=text_of(row.get("permalink")),
    )


def _price(value: Any, unit: int = 0) -> Decimal | None:
    try:
        return amount(value, "price").scaleb(-unit)
    except MappingError:
        return None


def _fixed(text: str) -> tuple[str, ...]:
    """Return the values of "Taglia: S, Colore: rosso"."""
    return tuple(value.strip() for _, colon, value in (part.partition(":") for part in _CHOICE.split(text)) if colon)


def _picture(row: Mapping[str, Any]) -> str:
    rows = row.get("images")
    first = map_of(rows[0] if isinstance(rows, list) and rows else row.get("image")) or {}
    return text_of(first.get("thumbnail")) or text_of(first.get("src"))
