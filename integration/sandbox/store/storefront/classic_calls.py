"""The calls of the classic checkout: /?wc-ajax=update_order_review, apply_coupon, remove_coupon and checkout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from integration.sandbox.store import emails
from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.http_messages import HTML, JSON, ApiAnswer
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.storefront import (
    adding,
    checkout_routes,
    classic_page,
    drafts,
    review,
    sessions,
)
from integration.sandbox.store.storefront.notices import Notice
from integration.sandbox.store.storefront.rendering import ajax
from integration.sandbox.store.storefront.scenes import Scene

PLACES = {"country": "country", "state": "state", "postcode": "postcode", "city": "city", "address": "address_1"}
SHIPPED = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
ATTRIBUTION = "wc_order_attribution_"
EXPIRED = "Sorry, your session has expired."
Problem = tuple[Markup, str]


def answer(scene: Scene, name: str) -> ApiAnswer:
    """Answer a call by its name; one that is not known gets nothing but a 0, as WordPress does."""
    found = CALLS.get(name)
    return found(scene) if found else ajax(scene, b"0", HTML)


def _is_asked(scene: Scene, action: str) -> bool:
    return sessions.is_nonce(scene.state, scene.form.get("security", ""), action)


def _forbidden(scene: Scene) -> ApiAnswer:
    made = ajax(scene, b"-1", HTML)
    made.status = 403
    return made


def update_review(scene: Scene) -> ApiAnswer:
    """Note the address and tell what the order costs; the e-mail in post_data is not kept (storefront:146, 147)."""
    if not _is_asked(scene, classic_page.UPDATE):
        return _forbidden(scene)
    if scene.cart.is_empty:
        return ajax(scene, {"fragments": {"form.woocommerce-checkout": _error_html(EXPIRED)}}, JSON)
    form = scene.form
    billing = {field: form[name] for name, field in PLACES.items() if name in form}
    shipping = {field: form[f"s_{name}"] for name, field in PLACES.items() if f"s_{name}" in form}
    scene.visit.session.rate = form.get("shipping_method[0]", scene.visit.session.rate)
    scene.cart.set_addresses(billing, shipping)
    scene.notices = [Notice("error", Markup(each["message"])) for each in scene.cart.settle()]
    told = review.fragments(scene.cart, scene.home, form.get("payment_method", ""))
    body = {"result": "success", "messages": _notices(scene), "reload": False, "fragments": told}
    return ajax(scene, body, JSON)


def _error_html(text: str) -> str:
    return str(Notice("error", Markup(text)).html())


def _notices(scene: Scene) -> str:
    return "".join(str(each.html()) for each in scene.notices)


def apply_coupon(scene: Scene) -> ApiAnswer:
    """Apply a coupon; an e-mail that comes along is kept from then on (storefront:148)."""
    if not _is_asked(scene, classic_page.APPLY):
        return _forbidden(scene)
    email = scene.form.get("billing_email", "")
    if emails.is_valid(email):
        scene.cart.set_email(email)
    adding.apply_coupon(scene, scene.form.get("coupon_code", "").strip())
    return ajax(scene, _notices(scene).encode(), HTML)


def remove_coupon(scene: Scene) -> ApiAnswer:
    """Take a coupon out."""
    if not _is_asked(scene, classic_page.REMOVE):
        return _forbidden(scene)
    try:
        scene.cart.remove_coupon(scene.form.get("coupon", ""))
        told = Notice("success", Markup("Coupon has been removed."))
    except Refused:
        told = Notice("error", Markup("Sorry there was a problem removing this coupon."))
    return ajax(scene, str(told.html()).encode(), HTML)


def place(scene: Scene) -> ApiAnswer:
    """Place the order: status 200 whether it could be (storefront:151) or not (storefront:150).

    What was typed is in the session from now on, whatever comes of it.
    """
    form = scene.form
    if not sessions.is_nonce(scene.state, form.get("woocommerce-process-checkout-nonce", ""), review.PLACE_NONCE):
        return _failure(scene, [(Markup("We were unable to process your order, please try again."), "")])
    if scene.cart.is_empty:
        return _failure(scene, [(Markup(EXPIRED), "")])
    billing = {name.removeprefix("billing_"): value for name, value in form.items() if name.startswith("billing_")}
    scene.cart.set_addresses(billing, {name: billing[name] for name in SHIPPED if name in billing})
    scene.visit.session.rate = form.get("shipping_method[0]", scene.visit.session.rate)
    removed = _bound_coupons(scene)
    problems = [*removed, *_problems(billing), *_payment_problems(scene)]
    problems += [(Markup(each["message"]), "") for each in scene.cart.settle()]
    return _failure(scene, problems, bool(removed)) if problems else _success(scene)


def _bound_coupons(scene: Scene) -> list[Problem]:
    """Drop the coupons that are not for the e-mail that buys, and tell of them (storefront:150)."""
    dropped = scene.cart.drop_bound().values()
    return [(Markup((fault.details or {}).get("checkout", fault.message)), "") for fault in dropped]


def _problems(billing: dict[str, str]) -> list[Problem]:
    problems = []
    for name, label, *_ in classic_page.FIELDS:
        told = Markup("<strong>Billing {}</strong> ").format(label)
        value = billing.get(name, "").strip()
        if not value and name not in classic_page.OPTIONAL:
            problems.append((told + "is a required field.", f"billing_{name}"))
        elif name == "email" and not emails.is_valid(value):
            problems.append((told + "is not a valid email address.", "billing_email"))
    return problems


def _payment_problems(scene: Scene) -> list[Problem]:
    needed = scene.cart.totals.total > 0
    if not needed or scene.form.get("payment_method", "") in GATEWAYS:
        return []
    return [(Markup("Invalid payment method."), "")]


def _failure(scene: Scene, problems: list[Problem], refresh: bool = False) -> ApiAnswer:
    is_one = len(problems) == 1
    told = Notice("error", problems[0][0]) if is_one else Notice("error", problems=tuple(problems))
    messages = str(told.html())
    return ajax(scene, {"result": "failure", "messages": messages, "refresh": refresh, "reload": False}, JSON)


def _success(scene: Scene) -> ApiAnswer:
    form = scene.form
    method, note = form.get("payment_method", ""), form.get("order_comments", "")
    row = drafts.place_classic(scene.state, scene.visit.session, method, note, scene.request.ip, scene.request.agent)
    told = {name.removeprefix(ATTRIBUTION): value for name, value in form.items() if name.startswith(ATTRIBUTION)}
    drafts.set_meta(scene.state, row, checkout_routes.attribution(told))
    address = drafts.received_url(scene.state, row, scene.home)
    body: dict[str, Any] = {"result": "success", "redirect": address, "order_id": row.id}
    return ajax(scene, body, JSON)


CALLS: dict[str, Callable[[Scene], ApiAnswer]] = {
    "update_order_review": update_review,
    "apply_coupon": apply_coupon,
    "remove_coupon": remove_coupon,
    "checkout": place,
}
