"""Whether a coupon may be used for a cart, in the order WooCommerce asks and with its words."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from integration.sandbox.store import coupon_codes, money
from integration.sandbox.store.sessions_kept import Item, Session
from integration.sandbox.store.state import State


class CouponRefused(Exception):
    """A coupon was refused; `message` is in HTML, `details` may have one text for the cart, one for the checkout."""

    def __init__(self, message: str, details: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


def check(state: State, session: Session, code: str, subtotal: Decimal) -> dict[str, Any]:
    """Return the coupon of a code; raises CouponRefused in the first way that holds (storefront:040 to storefront:108).

    `subtotal` is what the cart shows before discounts.
    """
    coupon = coupon_codes.find(state.coupons, code)
    if coupon is None or coupon["status"] != "publish":
        raise CouponRefused(f"Coupon {_quoted(code)} does not exist!")
    _check_limits(state, coupon, session)
    _check_amounts(coupon, subtotal)
    _check_products(state, coupon, session)
    _check_email(coupon, session.email)
    return coupon


def _quoted(code: str) -> str:
    return f"&quot;{code}&quot;"


def used_up(coupon: dict[str, Any]) -> CouponRefused:
    """Make the refusal of a coupon that was used as often as it may be (storefront:106)."""
    text = f"Usage limit for coupon {_quoted(coupon['code'])} has been reached. "
    return CouponRefused(text + "Please try again after some time, or contact us for help.")


def _check_limits(state: State, coupon: dict[str, Any], session: Session) -> None:
    if coupon["usage_limit"] and coupon["usage_count"] >= coupon["usage_limit"]:
        raise used_up(coupon)
    if session.customer_id:
        _check_per_user(coupon, session)
    if coupon["expires"] is not None and coupon["expires"] < state.now():
        raise CouponRefused(f"Coupon {_quoted(coupon['code'])} has expired.")


def check_buyer(coupon: dict[str, Any], session: Session) -> None:
    """Refuse a coupon that is not for the e-mail that buys, or no more."""
    _check_email(coupon, session.email)
    _check_per_user(coupon, session)


def _check_per_user(coupon: dict[str, Any], session: Session) -> None:
    """Refuse a coupon this shopper used often enough; a guest is known by the e-mail, and only when buying."""
    names = {session.email.lower(), str(session.customer_id)}
    used = sum(str(each).lower() in names for each in coupon["used_by"])
    if coupon["usage_limit_per_user"] and used >= coupon["usage_limit_per_user"]:
        raise used_up(coupon)


def _check_amounts(coupon: dict[str, Any], subtotal: Decimal) -> None:
    low, high = money.amount(coupon["minimum_amount"]), money.amount(coupon["maximum_amount"])
    for limit, broken, word in ((low, subtotal < low, "minimum"), (high, subtotal > high, "maximum")):
        if limit > 0 and broken:
            amount = money.for_people(limit)
            raise CouponRefused(f"The {word} spend for coupon {_quoted(coupon['code'])} is {amount}&nbsp;&euro;.")


def _check_products(state: State, coupon: dict[str, Any], session: Session) -> None:
    # A coupon for certain products needs one of them; one for the whole cart gives its discount to those it may.
    if session.items and not any(is_for(state, coupon, item) for item in session.items.values()):
        raise CouponRefused(f"Sorry, coupon {_quoted(coupon['code'])} is not applicable to selected products.")


def is_for(state: State, coupon: dict[str, Any], item: Item) -> bool:
    """Say whether a coupon counts for a line of the cart."""
    numbers = {item.product_id, item.variation_id}
    product, parent = state.product(item.variation_id or item.product_id), state.product(item.product_id)
    places = {each["id"] for each in parent.get("categories", [])} if parent else set()
    wanted, wanted_places = set(coupon["product_ids"]), set(coupon["product_categories"])
    if (wanted or wanted_places) and not (numbers & wanted or places & wanted_places):
        return False
    if numbers & set(coupon["excluded_product_ids"]) or places & set(coupon["excluded_product_categories"]):
        return False
    return not (coupon["exclude_sale_items"] and product and product["on_sale"])


def _check_email(coupon: dict[str, Any], email: str) -> None:
    """Refuse a coupon that is bound to other e-mails; * stands for anything, case for nothing."""
    bound = coupon["email_restrictions"]
    if not bound or any(fnmatchcase(email.lower(), each.lower()) for each in bound if email):
        return
    text = f"use coupon code {_quoted(coupon['code'])}."
    at_cart, at_checkout = f"Please enter a valid email at checkout to {text}", f"Please enter a valid email to {text}"
    raise CouponRefused(at_cart, {"cart": at_cart, "checkout": at_checkout})
