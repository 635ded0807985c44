"""The cart of the Store API: reading it and changing what is in it, who it is for, and its coupons."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store.http_messages import ApiAnswer
from integration.sandbox.store.params import whole_number
from integration.sandbox.store.problems import Refused, invalid, missing
from integration.sandbox.store.storefront import cart_json, choices, sessions
from integration.sandbox.store.storefront.calls import Call


def show(call: Call, status: int = 200) -> ApiAnswer:
    """Return the whole cart, as nearly every route does."""
    return ApiAnswer(status, cart_json.show(call.cart, call.request.home))


def read(call: Call) -> ApiAnswer:
    """Return the cart."""
    return show(call)


def items(call: Call) -> ApiAnswer:
    """Return the lines alone."""
    return ApiAnswer(200, cart_json.items(call.cart, call.request.home))


def clear(call: Call) -> ApiAnswer:
    """Take all lines out."""
    call.cart.empty()
    return ApiAnswer(200, [])


def _number(body: dict[str, Any], name: str, low: int, default: int | None = None) -> int:
    value = body.get(name, default)
    if value is None:
        raise missing(name)
    if fault := whole_number(low)(name, value):
        raise invalid([fault])
    return int(value)


def _text(body: dict[str, Any], name: str) -> str:
    if name not in body:
        raise missing(name)
    return str(body[name])


def _given(body: dict[str, Any]) -> dict[str, str]:
    listed = body.get("variation") or []
    given = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each.get("attribute", "")): str(each.get("value", "")) for each in given}


def add(call: Call) -> ApiAnswer:
    """Add pieces of a product (storefront:005 to storefront:019)."""
    body = call.body
    call.cart.add(_number(body, "id", 1), _number(body, "quantity", 1, 1), _given(body))
    call.adds = True
    return show(call, 201)


def add_line(call: Call) -> ApiAnswer:
    """Add pieces of a product, answered with its line."""
    body = call.body
    item = call.cart.add(_number(body, "id", 1), _number(body, "quantity", 1, 1), _given(body))
    call.adds = True
    key = choices.key(item)
    return ApiAnswer(201, next(each for each in cart_json.items(call.cart, call.request.home) if each["key"] == key))


def update(call: Call) -> ApiAnswer:
    """Set how many pieces of a line there are."""
    body = call.body
    call.cart.set_quantity(_text(body, "key"), _number(body, "quantity", 0))
    return show(call)


def remove(call: Call) -> ApiAnswer:
    """Take a line out."""
    call.cart.remove(_text(call.body, "key"))
    return show(call)


def apply_coupon(call: Call) -> ApiAnswer:
    """Apply a coupon."""
    call.cart.apply_coupon(_text(call.body, "code"))
    return show(call)


def remove_coupon(call: Call) -> ApiAnswer:
    """Take a coupon off."""
    call.cart.remove_coupon(_text(call.body, "code"))
    return show(call)


def update_customer(call: Call) -> ApiAnswer:
    """Note parts of the addresses; the e-mail alone is enough (storefront:024)."""
    set_addresses(call, call.body)
    return show(call)


def set_addresses(call: Call, body: dict[str, Any]) -> None:
    """Note the addresses in a body; without anything to ship the bill's is the one of both."""
    billing, shipping = body.get("billing_address") or {}, body.get("shipping_address") or {}
    for name, value in (("billing_address", billing), ("shipping_address", shipping)):
        if not isinstance(value, dict):
            text = f"{name} is not of type object."
            raise invalid([(name, "rest_invalid_type", text, {"param": name})])
    if not call.cart.totals.needs_shipping and not shipping:
        shipping = {name: value for name, value in billing.items() if name != "email"}
    call.cart.set_addresses(billing, shipping)


def select_rate(call: Call) -> ApiAnswer:
    """Choose a way of shipping."""
    wanted = _text(call.body, "rate_id")
    if wanted not in [offer.id for offer in call.cart.totals.offers]:
        raise Refused(400, "woocommerce_rest_cart_invalid_rate", "The shipping rate is not available.")
    call.visit.session.rate = wanted
    sessions.keep(call.state, call.visit.session)
    return show(call)
