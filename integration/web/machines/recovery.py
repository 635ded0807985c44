"""The link in a reminder: leads to the shop with the cart as it was, and counts that it was opened (P59)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from integration.carts import recovery
from integration.carts.addresses import shop_page
from integration.carts.destinations import Destination, Visit, destination, payment
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.web.frame.access import public
from integration.web.frame.security import limiter
from integration.web.frame.services import services
from integration.web.machines import added_carts
from integration.web.machines.visitors import is_person, is_program

bp = Blueprint("recovery", __name__)


@bp.get("/recover/<path:token>")
@limiter.limit("60 per minute")
@public
def link(token: str) -> ResponseReturnValue:
    """Lead to the shop; mail scanners open links too, so that nothing but the count changes."""
    with services().db.read() as session:
        found = recovery.find(session, token)
        session.expunge_all()
    if found is None or not found[1].store_url:
        return render_template("recovery/expired.html"), 404
    cart, connector = found
    target = _target(connector, cart)
    answer = redirect(target.url, 302)
    if target.adds:
        added_carts.remember(answer, cart.id)
    return answer


def _target(connector: Connector, cart: Cart) -> Destination:
    now, shop = services().clock.now(), Destination(shop_page(connector, cart))
    module = services().modules(connector).carts
    if is_program() or not recovery.goes_on(cart, module, now):
        return shop
    visit = Visit(now, is_person(), added_carts.knows(cart.id))
    if not recovery.is_open(cart, module, now):
        target = payment(services(), visit, connector, cart)
    else:
        target = destination(services(), visit, connector, cart)
    if target is not None and visit.is_person:
        with services().db.write() as session:
            recovery.note_opened(session, now, cart.id)
    return target or shop


@bp.after_request
def keep_to_itself(response: Response) -> Response:
    """Let nobody keep the answer, learn the link from it, or list it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
