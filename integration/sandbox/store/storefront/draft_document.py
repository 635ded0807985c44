"""The document of a draft order: what a cart says, in the form orders are kept in."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

from integration.sandbox.store import money, order_building
from integration.sandbox.store.sessions_kept import Session
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import choices
from integration.sandbox.store.storefront.totals import Line, Totals, cart_hash


def blank(state: State, ip: str, agent: str, via: str) -> dict[str, Any]:
    """Return the document of an order that has nothing in it yet."""
    fields = {"customer_ip_address": ip, "customer_user_agent": agent, "created_via": via}
    return order_building.compose(state, fields, via)


def fill(state: State, session: Session, made: Totals, document: dict[str, Any]) -> None:
    """Write a cart, its addresses and its coupons into a document; lines get new numbers (storefront:061).

    The line of shipping stays as it was made as long as the rate is the same, even its text of what is shipped
    (storefront:065); with the cart emptied it alone is left, without its tax (storefront:063).
    """
    document["billing"], document["shipping"] = dict(session.billing), dict(session.shipping)
    document["cart_hash"] = cart_hash(session, made)
    document["tax_lines"] = [order_building.tax_line(state, made.rate)] if made.lines else []
    document["line_items"] = [_line(state, made, line) for line in made.lines]
    _ship(state, made, document)
    document["coupon_lines"] = [_coupon(state, coupon, cut) for coupon, cut in _cuts(made)]
    document["meta_data"] = order_building.meta(state, document["meta_data"], _marks(document))
    order_building.finish(state, document)
    if not made.lines:
        document["shipping_tax"] = document["total_tax"] = "0.00"
        document["total"] = document["shipping_total"]


def _line(state: State, made: Totals, line: Line) -> dict[str, Any]:
    entry = {
        "product_id": line.item.product_id,
        "variation_id": line.item.variation_id,
        "quantity": line.item.quantity,
        "subtotal": str(line.subtotal),
        "total": str(line.total),
        "choices": _choices(state, line),
    }
    return order_building.line_item(state, made.rate, entry)


def _choices(state: State, line: Line) -> list[dict[str, Any]]:
    parent = state.product(line.item.product_id)
    if not line.item.variation_id or parent is None:
        return []
    return [
        {
            "id": state.next_id("item_meta"),
            "key": attribute.removeprefix(choices.PREFIX),
            "value": value,
            "display_key": choices.label(parent, line.product, attribute),
            "display_value": choices.value_shown(parent, line.product, attribute, value),
        }
        for attribute, value in line.item.choices.items()
    ]


def parcel(state: State, made: Totals) -> str:
    """Return what is in the parcel, as the line of shipping tells it: tags gone, × as &times;."""
    told = [f"{order_building.line_name(state, line.product)} &times; {line.item.quantity}" for line in made.lines]
    return re.sub(r"<[^>]*>", "", ", ".join(told))


def _ship(state: State, made: Totals, document: dict[str, Any]) -> None:
    offer = made.shipping
    held = document["shipping_lines"][:1]
    if not made.lines:
        return
    if offer is None:
        document["shipping_lines"] = []
        return
    same = held and (held[0]["method_id"], held[0]["instance_id"]) == (offer.method.kind, str(offer.method.id))
    if not same:
        document["shipping_lines"] = [_shipping(state, made)]


def _shipping(state: State, made: Totals) -> dict[str, Any]:
    offer, text = made.shipping, parcel(state, made)
    assert offer is not None
    told = {"id": state.next_id("item_meta"), "key": "Items", "value": text}
    entry = {
        "method_title": offer.method.settings.get("title", ""),
        "method_id": offer.method.kind,
        "instance_id": offer.method.id,
        "total": str(offer.cost),
        "meta_data": [told | {"display_key": "Items", "display_value": text}],
    }
    return order_building.shipping_line(state, made.rate, entry)


def _cuts(made: Totals) -> list[tuple[dict[str, Any], tuple[Decimal, Decimal]]]:
    return list(zip(made.coupons, made.real_cuts, strict=True))


def _coupon(state: State, coupon: dict[str, Any], cut: tuple[Decimal, Decimal]) -> dict[str, Any]:
    line = order_building.coupon_line(state, coupon, *cut)
    amount = line["nominal_amount"]
    told = json.dumps([coupon["id"], coupon["code"], coupon["discount_type"], amount], separators=(",", ":"))
    info = {"key": "coupon_info", "value": told, "display_key": "coupon_info", "display_value": told}
    line["meta_data"] = [{"id": state.next_id("item_meta"), **info}]
    return line


def _marks(document: dict[str, Any]) -> list[dict[str, Any]]:
    shipping = [each["total"] for each in document["shipping_lines"]]
    taxes = [document["cart_hash"], *[each["label"] for each in document["tax_lines"]]]
    coupons = [each["code"] for each in document["coupon_lines"]]
    parts = {"_shipping_hash": shipping, "_coupons_hash": coupons, "_fees_hash": [], "_taxes_hash": taxes}
    marks = [{"key": key, "value": _mark(each)} for key, each in parts.items()]
    return [*marks, {"key": "is_vat_exempt", "value": "no"}]


def _mark(value: list[Any]) -> str:
    return hashlib.md5(json.dumps(value).encode(), usedforsecurity=False).hexdigest()


def amount_due(document: dict[str, Any]) -> Decimal:
    """Return what an order costs."""
    return money.amount(document["total"])
