"""The products of the Store API, which anybody may read (storefront:021 to storefront:023)."""

from __future__ import annotations

import re
from typing import Any

from integration.sandbox.store import order_building
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page
from integration.sandbox.store.params import ORDER, PAGING, Param, anything, listed, numbers, one_of, read
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import choices, prices
from integration.sandbox.store.storefront.carts import in_stock, pieces

PARAMS = (
    *PAGING,
    Param("search", anything, ""),
    Param("include", numbers, ""),
    Param("exclude", numbers, ""),
    Param("order", ORDER, "desc"),
    Param("orderby", one_of("date", "modified", "id", "title", "price"), "date"),
    Param("type", one_of("simple", "grouped", "external", "variable", "variation"), ""),
)
SORT_KEYS = {"date": "created", "modified": "modified", "title": "name"}


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List products; what is unknown is missing, variations come only when asked for by type."""
    values = read(request, PARAMS)
    found = [product for product in state.products.values() if _matches(product, values)]
    key = SORT_KEYS.get(values["orderby"], "id")
    if values["orderby"] == "price":
        found.sort(key=lambda each: float(each["price"] or 0), reverse=values["order"] == "desc")
    else:
        found.sort(key=lambda each: (each[key], each["id"]), reverse=values["order"] == "desc")
    page = Page.of(values)
    shown = [show(state, product, request.home) for product in page.cut(found)]
    latest = max((product["modified"] for product in state.products.values()), default=0)
    pages = -(-len(found) // page.size)
    headers = [("X-WP-Total", str(len(found))), ("X-WP-TotalPages", str(pages)), ("Last-Modified", str(latest))]
    return ApiAnswer(200, shown, headers)


def _matches(product: dict[str, Any], values: dict[str, Any]) -> bool:
    number = str(product["id"])
    wanted, unwanted = listed(values["include"]), listed(values["exclude"])
    kind = product["type"] == values["type"] if values["type"] else product["type"] != "variation"
    named = str(values["search"]).lower() in str(product["name"]).lower()
    placed = (not wanted or number in wanted) and number not in unwanted
    return kind and named and placed and product["status"] == "publish"


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a product or variation."""
    product = state.product(number)
    if product is None or product["status"] != "publish":
        raise Refused(404, "woocommerce_rest_product_invalid_id", "Invalid product ID.")
    return ApiAnswer(200, show(state, product, request.home))


def show(state: State, product: dict[str, Any], home: str) -> dict[str, Any]:
    """Return a product as the Store API shows it."""
    parent = state.product(product["parent_id"]) if product["type"] == "variation" else None
    left = pieces(product)
    return {
        "id": product["id"],
        "name": prices.title(state, product),
        "slug": product.get("slug") or _variation_slug(parent, product),
        "parent": product["parent_id"],
        "type": product["type"],
        "variation": _variation_text(parent, product),
        "permalink": f"{home}{product['path']}",
        "sku": product["sku"],
        "short_description": product.get("short_description", ""),
        "description": product["description"],
        "on_sale": product["on_sale"],
        "prices": prices.of_product(state, product),
        "price_html": prices.product_html(state, product),
        "average_rating": "0",
        "review_count": 0,
        "images": [],
        "categories": [_category(each, home) for each in product.get("categories", [])],
        "tags": [],
        "brands": [],
        "attributes": [_attribute(each) for each in product["attributes"]] if parent is None else [],
        "variations": [_child(state, product, number) for number in product.get("variations", [])],
        "grouped_products": product.get("grouped_products", []),
        "has_options": product["type"] == "variable",
        "is_purchasable": bool(product["purchasable"]),
        "is_in_stock": in_stock(product),
        "is_on_backorder": product["backordered"],
        "low_stock_remaining": prices.low_stock(product),
        "stock_availability": _availability(product),
        "sold_individually": product.get("sold_individually", False),
        "add_to_cart": _add_to_cart(state, product, home, left),
        "extensions": {},
    }


def _variation_slug(parent: dict[str, Any] | None, product: dict[str, Any]) -> str:
    words = re.findall(r"\w+", str(product["name"]).lower())
    return "-".join([str(parent["slug"]) if parent else "", *words])


def _variation_text(parent: dict[str, Any] | None, product: dict[str, Any]) -> str:
    if parent is None:
        return ""
    return ", ".join(f"{each['name']}: {each['option']}" for each in product["attributes"])


def _category(category: dict[str, Any], home: str) -> dict[str, Any]:
    own = {name: category[name] for name in ("id", "name", "slug")}
    return own | {"link": f"{home}/product-category/{category['slug']}/"}


def _attribute(attribute: dict[str, Any]) -> dict[str, Any]:
    terms = [{"id": 0, "name": each, "slug": each} for each in attribute["options"]]
    taxonomy = attribute.get("slug") if attribute.get("id") else None
    varies = attribute.get("variation", True)
    name = attribute["name"]
    return {"id": attribute.get("id", 0), "name": name, "taxonomy": taxonomy, "has_variations": varies, "terms": terms}


def _child(state: State, parent: dict[str, Any], number: int) -> dict[str, Any]:
    variation = state.products[number]
    names = [*choices.fixed_choices(variation), *choices.free(parent, variation)]
    fixed = choices.fixed_choices(variation)
    told = [{"name": choices.label(parent, variation, name), "value": fixed.get(name)} for name in names]
    return {"id": number, "attributes": told}


def _availability(product: dict[str, Any]) -> dict[str, str]:
    left = pieces(product)
    if not in_stock(product):
        return {"text": "Out of stock", "class": "out-of-stock"}
    return {"text": "" if left is None else f"{left} in stock", "class": "in-stock"}


def _add_to_cart(state: State, product: dict[str, Any], home: str, left: int | None) -> dict[str, Any]:
    name = prices.texturized(order_building.line_name(state, product))
    link = f"{home}{product['path']}"
    text, described = "Add to cart", f"Add to cart: &ldquo;{name}&rdquo;"
    address = f"?add-to-cart={product['id']}"
    if product["type"] == "variation":
        joint = "&" if "?" in link else "?"
        whole = f"{link}{joint}variation_id={product['id']}&add-to-cart={product['parent_id']}"
        address = whole.replace("&", "&#038;")
    elif product["type"] == "variable":
        text, described, address = "Select options", f"Select options for &ldquo;{name}&rdquo;", link
    elif not in_stock(product):
        text, described, address = "Read more", f"Read more about &ldquo;{name}&rdquo;", link
    limits = {"minimum": 1, "maximum": left or prices.PIECES_MAX, "multiple_of": 1}
    return {"text": text, "description": described, "url": address, "single_text": "Add to cart", **limits}
