"""Products, variations, categories and coupons as the API shows them."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import rest_format
from integration.sandbox.store.problems import unknown
from integration.sandbox.store.state import State
from integration.sandbox.store.times import gmt, local

HIDDEN = ("created", "modified", "path")


def product(state: State, number: int) -> dict[str, Any]:
    """Return a product as stored; raises Refused 404 (woo:128 and woo:192)."""
    found = state.products.get(number)
    if found is None or found.get("type") == "variation":
        raise unknown("product")
    return found


def coupon(state: State, number: int) -> dict[str, Any]:
    """Return a coupon as stored; raises Refused 404 (woo:151)."""
    found = state.coupons.get(number)
    if found is None:
        raise unknown("shop_coupon")
    return found


def dates(state: State, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the four dates of a stored entry."""
    return {
        "date_created": local(entry["created"], state.zone),
        "date_created_gmt": gmt(entry["created"]),
        "date_modified": local(entry["modified"], state.zone),
        "date_modified_gmt": gmt(entry["modified"]),
    }


def show_product(state: State, entry: dict[str, Any], root: str) -> dict[str, Any]:
    """Return a product; its dates stand after the permalink (woo:122)."""
    home = root.removesuffix("/wp-json")
    head = {"id": entry["id"], "name": entry["name"], "slug": entry["slug"], "permalink": f"{home}{entry['path']}"}
    rest = {name: value for name, value in entry.items() if name not in HIDDEN and name not in head}
    found = rest_format.links(root, "/wc/v3/products", entry["id"])
    return {**head, **dates(state, entry), **rest, "_links": found}


def show_variation(state: State, entry: dict[str, Any], root: str) -> dict[str, Any]:
    """Return a variation of a product (woo:124)."""
    home = root.removesuffix("/wp-json")
    head = {"id": entry["id"], "type": "variation", **dates(state, entry), "description": entry["description"]}
    rest = {name: value for name, value in entry.items() if name not in HIDDEN and name not in head}
    parent = entry["parent_id"]
    found = rest_format.links(root, f"/wc/v3/products/{parent}/variations", entry["id"])
    found["up"] = [{"href": f"{root}/wc/v3/products/{parent}"}]
    return {**head, "permalink": f"{home}{entry['path']}", **rest, "_links": found}


def show_category(entry: dict[str, Any], root: str) -> dict[str, Any]:
    """Return a category; its name has HTML entities (woo:131)."""
    return {**entry, "_links": rest_format.links(root, "/wc/v3/products/categories", entry["id"])}


def show_coupon(state: State, entry: dict[str, Any], root: str) -> dict[str, Any]:
    """Return a coupon with its code as it is kept (woo:139, storefront:031)."""
    head = {name: entry[name] for name in ("id", "code", "amount", "status")}
    expiry = {"date_expires": local(entry["expires"], state.zone), "date_expires_gmt": gmt(entry["expires"])}
    kind = {"discount_type": entry["discount_type"], "description": entry["description"]}
    hidden = (*HIDDEN, "expires")
    rest = {name: value for name, value in entry.items() if name not in hidden and name not in (*head, *kind)}
    found = rest_format.links(root, "/wc/v3/coupons", entry["id"])
    return {**head, **dates(state, entry), **kind, **expiry, **rest, "_links": found}
