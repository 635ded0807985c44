"""The link of the e-mail that asks to confirm a subscription: a secret itself, so that it needs no session."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.subscription import SubscriptionState
from integration.subscriptions import confirmation
from integration.web.frame.access import public
from integration.web.frame.security import csrf, limiter
from integration.web.frame.services import services
from integration.web.machines.subscribe_shop import Shop, page, shop_with

bp = Blueprint("subscribe_link", __name__, url_prefix="/subscribe/confirm")


@bp.get("/<token>")
@limiter.limit("60 per minute")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Show the button that confirms: programs that open the links of e-mails press none."""
    shop, pending = _of_link(token)
    return page("subscribe/confirm.html", shop, 200 if shop else 410, good=bool(shop), pending=pending, token=token)


@bp.post("/<token>")
@limiter.limit("20 per minute")
@public
def confirm_post(token: str) -> ResponseReturnValue:
    """Confirm the subscription; who does it twice is thanked twice."""
    confirmation.confirm(services(), token, request.remote_addr or "")
    shop, _ = _of_link(token)
    onward = shop.module.go_to if shop is not None else ""
    return redirect(onward or url_for("subscribe_link.confirm", token=token), 303)


csrf.exempt(confirm_post)


def _of_link(token: str) -> tuple[Shop | None, bool]:
    """Return the shop of a link that is good, its form on or off, and whether the link has yet to be followed."""
    with services().db.read() as session:
        row = confirmation.find(session, services().clock.now(), token)
        connector = session.get(Connector, row.connector_id) if row is not None else None
    if row is None or connector is None:
        return None, False
    return shop_with(connector), row.state == SubscriptionState.PENDING
