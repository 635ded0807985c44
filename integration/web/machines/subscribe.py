"""The subscribe form for a shop's visitors: a page of its own or in a frame, and a script for the shop's pages (P100).

None of it sets a cookie or needs one, so that a frame in the shop works and nobody has to agree to any: forms carry a
stamp of ours in place of a session's token.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RequestLimit

from integration.pipeline.connectors.shop_origins import origin_of
from integration.subscriptions import script
from integration.subscriptions.filled import Filled
from integration.subscriptions.intake import Sender, take
from integration.subscriptions.stamps import Age
from integration.web.frame.access import public
from integration.web.frame.security import csrf, limiter
from integration.web.frame.services import outside, services
from integration.web.machines.shop_pages import (
    Refused,
    allowed,
    body_as,
    connector_of,
    is_from_shop,
    problem,
    script_answer,
)
from integration.web.machines.subscribe_shop import Shop, closed, look, page, shop_of, shop_with
from integration.web.machines.visitors import is_person

bp = Blueprint("subscribe", __name__, url_prefix="/subscribe")

BODY_MAX_BYTES = 32 * 1024
#: Forms that an address (of IPv6 a network) may send; an office has one for all.
SENT_LIMIT = "10 per minute; 30 per hour"


def _too_many(limit: RequestLimit) -> Response:
    """Answer who has sent too many forms in the shop's words."""
    shop = shop_of(str((request.view_args or {}).get("key", "")))
    if shop is None:
        return closed()
    if request.endpoint == "subscribe.send_by_script":
        return _say(shop, shop.module.later, 429)
    return _form(shop, 429, errors={"": shop.module.later})


# -- the page -----------------------------------------------------------------------------------------------------


@bp.get("/<key>")
@limiter.limit("120 per minute")
@public
def form(key: str) -> ResponseReturnValue:
    """Show the form, or after it was sent the thanks; who is not in a frame goes on to the shop's own page of them."""
    shop = shop_of(key)
    if shop is None:
        return closed()
    if "done" not in request.args:
        return _form(shop)
    if shop.go_to and request.headers.get("Sec-Fetch-Dest") == "document":
        return redirect(shop.go_to)
    return page("subscribe/thanks.html", shop, framed=True, said=shop.thanks, go_to=shop.go_to)


@bp.post("/<key>")
@limiter.limit(SENT_LIMIT, on_breach=_too_many)
@public
def send(key: str) -> ResponseReturnValue:
    """Take the form of our own page; what is wrong stands at its field, and what was typed stays."""
    shop = shop_of(key)
    if shop is None:
        return closed()
    if _is_foreign():
        return problem(403, "origin", "Only our own page sends this form.")
    filled = Filled.model_validate(request.form.to_dict())
    age, wording = shop.stamps.read(filled.stamp, services().clock.now())
    if not _is_of_a_program(filled, age):
        if age is Age.TOO_OLD:
            return _form(shop, 422, filled.under(wording, shop.module), {"": shop.module.once_more})
        if mistakes := filled.mistakes(shop.module):
            return _form(shop, 422, filled.under(wording, shop.module), mistakes)
        _take(shop, filled, "page", wording)
    return redirect(url_for("subscribe.form", key=key, done=1, frame=look() or None), 303)


csrf.exempt(send)


def _form(
    shop: Shop, status: int = 200, filled: Filled | None = None, errors: Mapping[str, str] | None = None
) -> Response:
    # The page around a frame is told by the browser, by its origin at least.
    typed = filled or Filled.model_validate({"page": request.referrer or ""})
    stamp = shop.stamps.make(services().clock.now(), shop.module.consent_text, anew=filled is not None)
    action = url_for("subscribe.send", key=shop.connector.cart_key, frame=look() or None)
    values = {"filled": typed, "errors": errors or {}, "stamp": stamp, "action": action}
    return page("subscribe/form.html", shop, status, framed=True, **values)


def _is_foreign() -> bool:
    """Tell whether another site's page sends the form; what names no page is no browser of today."""
    origin = request.headers.get("Origin")
    ours = {origin_of(services().base_url), origin_of(request.host_url)}
    return origin is not None and origin_of(origin) not in ours


def _is_of_a_program(filled: Filled, age: Age) -> bool:
    return not is_person() or filled.is_of_a_program or age in (Age.FORGED, Age.TOO_FAST)


def _take(shop: Shop, filled: Filled, source: str, wording: str) -> None:
    link = outside("subscribe_link.confirm", token="TOKEN").replace("TOKEN", "{token}")
    sender = Sender(source, wording, request.remote_addr or "", link)
    take(services(), shop.connector, shop.module, filled, sender)


# -- the script ---------------------------------------------------------------------------------------------------


@bp.get("/<key>.js")
@limiter.limit("600 per minute")
@public
def script_of(key: str) -> ResponseReturnValue:
    """Give the script of a connector; where the form is off it does nothing."""
    shop = shop_of(key)
    return script_answer(script.OFF if shop is None else script.script(shop.module, outside("subscribe.form", key=key)))


@bp.get("/<key>/stamp")
@limiter.limit("60 per minute")
@public
def stamp(key: str) -> ResponseReturnValue:
    """Give the form in a shop's page its stamp as soon as somebody turns to it, with the wording as it is now."""
    shop = _asking(key)
    if isinstance(shop, Response):
        return shop
    wording = shop.module.consent_text
    return allowed(jsonify(stamp=shop.stamps.make(services().clock.now(), wording), text=wording))


@bp.post("/<key>/send")
@limiter.limit(SENT_LIMIT, on_breach=_too_many)
@public
def send_by_script(key: str) -> ResponseReturnValue:
    """Take the form of a shop's page."""
    shop = _asking(key)
    if isinstance(shop, Response):
        return shop
    try:
        filled = body_as(Filled, BODY_MAX_BYTES, "form")
    except Refused as refusal:
        return allowed(refusal.answer)
    age, wording = shop.stamps.read(filled.stamp, services().clock.now())
    if not _is_of_a_program(filled, age):
        if age is Age.TOO_OLD:
            return allowed(problem(409, "stamp", shop.module.once_more))
        if mistakes := filled.mistakes(shop.module):
            return allowed(problem(422, next(iter(mistakes)), "Correct the fields that are named.", mistakes))
        _take(shop, filled, "script", wording)
    return _say(shop, shop.thanks, go=shop.go_to)


csrf.exempt(send_by_script)


def _asking(key: str) -> Shop | Response:
    """Return the shop whose page asks, or why it is refused."""
    connector = connector_of(key)
    if connector is None:
        return problem(404, "unknown", "No shop has this address.")
    if not is_from_shop(connector):
        return problem(403, "origin", "Only pages of the connected shop may use this form.")
    shop = shop_with(connector)
    return shop if shop.module.enabled else allowed(problem(404, "off", "The subscribe form is switched off."))


def _say(shop: Shop, text: str, status: int = 200, *, go: str = "") -> Response:
    answer = jsonify(say=text, go=go)
    answer.status_code = status
    return allowed(answer) if is_from_shop(shop.connector) else answer
