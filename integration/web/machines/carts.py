"""What a shop's pages ask us for and tell us of their carts: without a user, from one origin, in small pieces (P51)."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from integration.carts import recovery, restoring, script
from integration.carts.addresses import checkout_page
from integration.carts.capture import capture
from integration.carts.captured import Captured
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.web.frame.access import public
from integration.web.frame.security import csrf, limiter
from integration.web.frame.services import services
from integration.web.machines.shop_pages import (
    Refused,
    allowed,
    body_as,
    connector_of,
    is_from_shop,
    problem,
    script_answer,
)
from integration.web.machines.visitors import is_person

bp = Blueprint("cart_capture", __name__, url_prefix="/carts")

#: A browser lets a beacon carry no more (storefront.md, "Leaving").
BODY_MAX_BYTES = 64 * 1024


@bp.get("/<key>.js")
@limiter.limit("600 per minute")
@public
def script_of(key: str) -> ResponseReturnValue:
    """Give the script of a connector; one that nobody knows, or whose carts are off, does nothing."""
    connector = connector_of(key)
    text = script.OFF
    if connector is not None:
        text = script.script(services().modules(connector).carts, f"{services().base_url}/carts/{key}")
    return script_answer(text)


@bp.route("/<key>", methods=["OPTIONS"])
@public
def asked_first(key: str) -> ResponseReturnValue:
    """Let the shop's pages send what a browser asks about first."""
    connector = connector_of(key)
    if connector is None or not is_from_shop(connector):
        return "", 403
    return allowed(Response(status=204))


@bp.post("/<key>")
@limiter.limit("240 per minute")
@public
def taken(key: str) -> ResponseReturnValue:
    """Keep one state of a cart; what is answered with 204 is stored."""
    connector = connector_of(key)
    if connector is None:
        return problem(404, "unknown", "No shop has this address.")
    if not is_from_shop(connector):
        return problem(403, "origin", "Only pages of the connected shop may send carts here.")
    if not is_person():
        return allowed(Response(status=204))
    try:
        state = body_as(Captured, BODY_MAX_BYTES, "cart")
    except Refused as refusal:
        return allowed(refusal.answer)
    with services().db.write() as session:
        capture(session, services().clock.now(), connector.id, services().modules(connector).carts, state)
    return allowed(Response(status=204))


csrf.exempt(taken)


@bp.get("/<key>/restore/<code>")
@limiter.limit("60 per minute")
@public
def restored(key: str, code: str) -> ResponseReturnValue:
    """Give the script what was in the cart of a link that was clicked just now."""
    connector = connector_of(key)
    if connector is None:
        return problem(404, "unknown", "No shop has this address.")
    if not is_from_shop(connector):
        return problem(403, "origin", "Only pages of the connected shop may ask for carts here.")
    now = services().clock.now()
    cart = _clicked(connector, now, code)
    if cart is None:
        return allowed(problem(404, "code", "The link is too old; open it again from the e-mail."))
    return allowed(jsonify(restoring.restored(cart, now, checkout_page(connector, cart))))


def _clicked(connector: Connector, now: datetime, code: str) -> Cart | None:
    number = restoring.cart_id_of(services().deployment.secret_key, now, code)
    with services().db.read() as session:
        cart = session.get(Cart, number) if number is not None else None
    module = services().modules(connector).carts
    is_theirs = cart is not None and cart.connector_id == connector.id and recovery.is_open(cart, module, now)
    return cart if is_theirs else None
