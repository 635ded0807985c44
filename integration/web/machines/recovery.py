"""The link in a reminder: leads to the shop with the cart as it was, and counts that it was opened (P59)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from integration.carts import recovery
from integration.carts.destinations import destination, shop_page
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.web.frame.access import public
from integration.web.frame.security import limiter
from integration.web.frame.services import services
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
    return redirect(_target(connector, cart), 302)


def _target(connector: Connector, cart: Cart) -> str:
    now = services().clock.now()
    if not recovery.is_open(cart, services().modules(connector).carts, now) or is_program():
        return shop_page(connector, cart)
    if is_person():
        with services().db.write() as session:
            recovery.note_opened(session, now, cart.id)
    return destination(services(), now, connector, cart)


@bp.after_request
def keep_to_itself(response: Response) -> Response:
    """Let nobody keep the answer, learn the link from it, or list it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
