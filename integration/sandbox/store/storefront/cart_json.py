"""A cart as the Store API shows it: amounts in minor units, names as HTML."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import money, order_building
from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import choices, draft_document, prices
from integration.sandbox.store.storefront.carts import Cart, pieces
from integration.sandbox.store.storefront.shipping_rates import Offer
from integration.sandbox.store.storefront.totals import Line, Totals

DESTINATION = ("address_1", "address_2", "city", "state", "postcode", "country")


def show(cart: Cart, home: str) -> dict[str, Any]:
    """Return the cart after dropping what is gone from it; `errors` tells the shopper of it (storefront:020)."""
    errors = cart.settle()
    state, made = cart.state, cart.totals
    return {
        "items": [_item(state, line, home) for line in made.lines],
        "coupons": [_coupon(state, made, code) for code in cart.session.coupons],
        "fees": [],
        "totals": _totals(state, made),
        "shipping_address": dict(cart.session.shipping),
        "billing_address": dict(cart.session.billing),
        "needs_payment": made.total > 0,
        "needs_shipping": made.needs_shipping,
        "payment_requirements": ["products"],
        "has_calculated_shipping": made.needs_shipping,
        "shipping_rates": [_package(cart, made)] if made.needs_shipping else [],
        "items_count": sum(line.item.quantity for line in made.lines),
        "items_weight": 0,
        "cross_sells": [],
        "errors": errors,
        "payment_methods": list(GATEWAYS),
        "extensions": {},
    }


def items(cart: Cart, home: str) -> list[dict[str, Any]]:
    """Return the lines alone."""
    return [_item(cart.state, line, home) for line in cart.totals.lines]


def _item(state: State, line: Line, home: str) -> dict[str, Any]:
    product = line.product
    left = pieces(product)
    most = 1 if product.get("sold_individually") else left or prices.PIECES_MAX
    return {
        "key": line.key,
        "id": product["id"],
        "type": product["type"],
        "quantity": line.item.quantity,
        "quantity_limits": {"minimum": 1, "maximum": most, "multiple_of": 1, "editable": most > 1},
        "name": prices.title(state, product),
        "short_description": product.get("short_description", ""),
        "description": product["description"],
        "sku": product["sku"],
        "low_stock_remaining": prices.low_stock(product),
        "backorders_allowed": product["backorders_allowed"],
        "show_backorder_badge": product["backordered"],
        "sold_individually": product.get("sold_individually", False),
        "permalink": home + product["path"],
        "images": [],
        "variation": _variation(state, line),
        "item_data": [],
        "prices": prices.of_product(state, product, pieces=True),
        "totals": {
            "line_subtotal": money.minor(line.subtotal),
            "line_subtotal_tax": money.minor(line.subtotal_tax),
            "line_total": money.minor(line.total),
            "line_total_tax": money.minor(line.total_tax),
            **prices.currency(state),
        },
        "catalog_visibility": product.get("catalog_visibility", "visible"),
        "extensions": {},
    }


def _variation(state: State, line: Line) -> list[dict[str, str]]:
    parent = state.product(line.item.product_id)
    if parent is None or not line.item.variation_id:
        return []
    shown = []
    for name, value in line.item.choices.items():
        text = choices.value_shown(parent, line.product, name, value)
        told = {"attribute": choices.label(parent, line.product, name), "value": text}
        shown.append({"raw_attribute": name, **told} if state.is_ten else told)
    return shown


def _coupon(state: State, made: Totals, code: str) -> dict[str, Any]:
    kind = {coupon["code"].lower(): coupon["discount_type"] for coupon in made.coupons}[code.lower()]
    off, tax = made.cuts[code]
    totals = {"total_discount": money.minor(off), "total_discount_tax": money.minor(tax), **prices.currency(state)}
    return {"code": code, "discount_type": kind, "totals": totals}


def _totals(state: State, made: Totals) -> dict[str, Any]:
    tax_line = {"name": made.rate.label, "price": money.minor(made.tax), "rate": f"{made.rate.percent}%"}
    return {
        "total_items": money.minor(made.items),
        "total_items_tax": money.minor(made.items_tax),
        "total_fees": "0",
        "total_fees_tax": "0",
        "total_discount": money.minor(made.discount),
        "total_discount_tax": money.minor(made.discount_tax),
        "total_shipping": money.minor(made.shipping.cost) if made.shipping else None,
        "total_shipping_tax": money.minor(made.shipping.tax) if made.shipping else None,
        "total_price": money.minor(made.total),
        "total_tax": money.minor(made.tax),
        "tax_lines": [tax_line] if made.lines else [],
        **prices.currency(state),
    }


def _package(cart: Cart, made: Totals) -> dict[str, Any]:
    names = {line.key: order_building.line_name(cart.state, line.product) for line in made.lines}
    return {
        "package_id": 0,
        "name": "Shipment 1",
        "destination": {name: cart.session.shipping[name] for name in DESTINATION},
        "items": [{"key": line.key, "name": names[line.key], "quantity": line.item.quantity} for line in made.lines],
        "shipping_rates": [_rate(cart.state, made, offer) for offer in made.offers],
    }


def _rate(state: State, made: Totals, offer: Offer) -> dict[str, Any]:
    return {
        "rate_id": offer.id,
        "name": offer.method.settings.get("title", ""),
        "description": "",
        "delivery_time": "",
        "price": money.minor(offer.cost),
        "taxes": money.minor(offer.tax),
        "instance_id": offer.method.id,
        "method_id": offer.method.kind,
        "meta_data": [{"key": "Items", "value": draft_document.parcel(state, made)}],
        "selected": made.shipping is not None and made.shipping.id == offer.id,
        **prices.currency(state),
    }
