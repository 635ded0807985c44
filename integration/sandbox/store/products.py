"""The routes of products, variations and categories."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import product_json, rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.params import (
    ORDER,
    PAGING,
    Param,
    anything,
    listed,
    moment,
    numbers,
    one_of,
    read,
    whole_number,
)
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.state import State
from integration.sandbox.store.times import bound

ORDERS = ("date", "id", "include", "title", "slug", "modified", "menu_order", "price", "popularity", "rating")
PARAMS = (
    *PAGING,
    Param("search", anything),
    Param("modified_after", moment),
    Param("modified_before", moment),
    Param("exclude", numbers),
    Param("include", numbers),
    Param("offset", whole_number(0)),
    Param("order", ORDER, "desc"),
    Param("orderby", one_of(*ORDERS), "date"),
    Param("status", one_of("any", "future", "trash", "draft", "pending", "private", "publish"), "any"),
    Param("type", one_of("simple", "grouped", "external", "variable")),
    Param("sku", anything),
    Param("category", anything),
)
STYLE = Style("/wc/v3/products")
SORT_KEYS = {"date": "created", "modified": "modified", "title": "name", "slug": "slug"}


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List products; variations are not among them."""
    values = read(request, PARAMS)
    page = Page.of(values)
    found = [entry for entry in state.products.values() if entry["type"] != "variation" and _matches(entry, values)]
    found = _windowed(state, found, values, request.flag("dates_are_gmt"))
    _sort(found, values)
    shown = [product_json.show_product(state, entry, request.root) for entry in page.cut(found)]
    return answer(request, page, len(found), shown, STYLE)


def _matches(entry: dict[str, Any], values: dict[str, Any]) -> bool:
    if values["status"] != "any" and entry["status"] != values["status"]:
        return False
    if values["type"] and entry["type"] != values["type"]:
        return False
    if values["sku"] and entry["sku"] not in listed(values["sku"]):
        return False
    if values["category"] and str(values["category"]) not in {str(each["id"]) for each in entry["categories"]}:
        return False
    if values["include"] and str(entry["id"]) not in listed(values["include"]):
        return False
    if values["exclude"] and str(entry["id"]) in listed(values["exclude"]):
        return False
    return not values["search"] or str(values["search"]).lower() in entry["name"].lower()


def _windowed(state: State, found: list[dict[str, Any]], values: dict[str, Any], are_gmt: bool) -> list[dict[str, Any]]:
    if values["modified_after"]:
        after = bound(values["modified_after"], state.zone, are_gmt)
        found = [entry for entry in found if entry["modified"] > after]
    if values["modified_before"]:
        before = bound(values["modified_before"], state.zone, are_gmt)
        found = [entry for entry in found if entry["modified"] < before]
    return found


def _sort(found: list[dict[str, Any]], values: dict[str, Any]) -> None:
    key = SORT_KEYS.get(values["orderby"], "id")
    found.sort(key=lambda entry: (entry[key], entry["id"]), reverse=values["order"] == "desc")


def _single(request: ApiRequest, shown: dict[str, Any]) -> ApiAnswer:
    found = rest_format.pick(shown, request.fields)
    if request.fields:
        found["_links"] = shown["_links"]
    return ApiAnswer(200, found)


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a product."""
    return _single(request, product_json.show_product(state, product_json.product(state, number), request.root))


def edit(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Change a product's name, prices or stock; product.updated is sent (woo:354)."""
    entry, fields = product_json.product(state, number), request.payload()
    for name in ("name", "regular_price", "sale_price", "sku", "stock_quantity", "status"):
        if name in fields:
            entry[name] = fields[name]
    entry["price"] = entry["sale_price"] or entry["regular_price"] or entry["price"]
    entry["modified"] = state.now()
    state.changed("product.updated", number)
    return one(state, request, number)


def delete(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Delete a product and its variations; lines of old orders then point at nothing (woo:061)."""
    entry = product_json.product(state, number)
    shown = one(state, request, number)
    for each in (number, *entry["variations"]):
        state.products.pop(each, None)
    for row in state.orders:
        if row.document is not None:
            _orphan(row.document["line_items"], number)
    state.changed("product.deleted", number)
    return shown


def _orphan(lines: list[dict[str, Any]], number: int) -> None:
    gone = {"product_id": 0, "variation_id": 0, "sku": None, "global_unique_id": None, "parent_name": None}
    for line in lines:
        if line["product_id"] == number:
            line.update(gone, image={"id": 0, "src": ""})


def variations(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """List a product's variations, newest first (woo:124)."""
    page = Page.of({**read(request, PAGING), "offset": None})
    product_json.product(state, number)
    found = [entry for entry in state.products.values() if entry.get("parent_id") == number]
    found.sort(key=lambda entry: (entry["created"], entry["id"]), reverse=True)
    shown = [product_json.show_variation(state, entry, request.root) for entry in page.cut(found)]
    return answer(request, page, len(found), shown, Style(f"/wc/v3/products/{number}/variations"))


def categories(state: State, request: ApiRequest) -> ApiAnswer:
    """List the categories by name (woo:130)."""
    page = Page.of({**read(request, PAGING), "offset": None})
    found = sorted(state.categories.values(), key=lambda entry: entry["name"])
    shown = [product_json.show_category(entry, request.root) for entry in page.cut(found)]
    return answer(request, page, len(found), shown, Style("/wc/v3/products/categories"))


def category(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a category."""
    entry = state.categories.get(number)
    if entry is None:
        raise Refused(404, "woocommerce_rest_term_invalid", "Resource does not exist.")
    return _single(request, product_json.show_category(entry, request.root))
