"""The recorded shop's shelf: what the recordings put into carts, with the same numbers."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import demo_catalogue
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.state import State

FILLERS = range(200, 2149)
BLANK = {"on_sale": False, "sale_price": "", "sku": "", "description": "", "short_description": "", "categories": []}


def build(state: State) -> None:
    """Put the products in."""
    demo = State()
    demo_catalogue.stock(demo)
    simple = next(each for each in demo.products.values() if each["type"] == "simple") | BLANK | _stock(None)
    variation = next(each for each in demo.products.values() if each["type"] == "variation")
    state.categories[16] = demo.categories[16] | {"name": "Caffè &amp; Tè", "slug": "caffe"}
    coffee = [{"id": 16, "name": "Caffè &amp; Tè", "slug": "caffe"}]
    tea = 'Tisana "Buonanotte"'
    _put(state, simple, 13, "Caffè arabica 250 g", "86.15", sku="SKU-001", categories=coffee)
    _put(state, simple, 14, "Caffè arabica 1 kg", "5.92", sku="SKU-002", categories=coffee)
    _put(state, simple, 16, tea, "156.69", sku="SKU-004", regular_price="195.86", on_sale=True)
    _shirt(state, simple, variation)
    _put(state, simple, 2189, "H9 esaurito", "10.00", **_stock(0))
    _put(state, simple, 2191, "H9 solo due", "11.00", **_stock(2))
    _put(state, simple, 2193, 'H9 <i>prezzo</i> "mobile" &amp; C.', "14.00", slug="h9-prezzo-mobile-c")
    _put(state, simple, 2194, "H9 venduto nel frattempo", "15.00", **_stock(1))
    _put(state, simple, 2217, "H9 gruppo", "", type="grouped", grouped_products=[13])
    state.counters["post"] = 2194


def _stock(count: int | None) -> dict[str, Any]:
    return {"manage_stock": count is not None, "stock_quantity": count}


def _put(state: State, like: dict[str, Any], number: int, name: str, price: str, **more: Any) -> dict[str, Any]:
    slug = more.get("slug") or demo_catalogue.slug(name)
    named = {"id": number, "name": name, "slug": slug, "path": f"/product/{slug}/"}
    entry = like | named | {"price": price, "regular_price": price, "created": number, "modified": number} | more
    state.products[number] = entry
    return entry


def _shirt(state: State, simple: dict[str, Any], variation: dict[str, Any]) -> None:
    size = {"id": 0, "name": "Taglia", "slug": "taglia", "variation": True, "options": ["S", "M", "L"]}
    colour = {"id": 0, "name": "Colore", "slug": "colore", "variation": True, "options": ["rosso", "blu"]}
    parent = {"type": "variable", "attributes": [size, colour], "variations": [49, 50, 51]}
    shirt = _put(state, simple, 48, "T-shirt “Città”", "20.00", **parent)
    for number, letter, red, price in (
        (49, "S", "rosso", "20.00"),
        (50, "M", "rosso", "21.00"),
        (51, "L", "", "22.00"),
    ):
        chosen = {"Taglia": letter} | ({"Colore": red} if red else {})
        query = "&".join(f"attribute_{name.lower()}={value}" for name, value in chosen.items())
        made = [{"id": 0, "name": name, "slug": name.lower(), "option": value} for name, value in chosen.items()]
        entry = _put(state, variation, number, ", ".join(chosen.values()), price, sku=f"VAR-1-{letter}")
        entry |= {"path": f"{shirt['path']}?{query}", "attributes": made, "parent_id": 48}
        state.products[number] = {name: value for name, value in entry.items() if name != "slug"}


def fill_up(state: State, *numbers: int) -> None:
    """Put the orders in that the recorded shop had before anybody shopped: 1,949 older ones and those named."""
    every = [*FILLERS, *numbers]
    state.orders.add_many([Row(number, "processing", 1_700_000_000, 1_700_000_000, recipe=number) for number in every])
