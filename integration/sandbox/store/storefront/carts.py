"""A shopper's cart: what goes in and out of it, the shopper's e-mail and address, and its coupons."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import coupon_codes, emails
from integration.sandbox.store.addresses import fill
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.sessions_kept import Item, Session
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import choices, coupon_rules, sessions, totals
from integration.sandbox.store.storefront.coupon_rules import CouponRefused
from integration.sandbox.store.storefront.totals import Totals, has_coupon

COUPON_ERROR = "woocommerce_rest_cart_coupon_error"


class Cart:
    """The cart of a session; every change is kept at once. Hold the state's lock around it."""

    def __init__(self, state: State, session: Session) -> None:
        self.state = state
        self.session = session

    @property
    def totals(self) -> Totals:
        """Return what the cart costs now."""
        return totals.totals(self.state, self.session)

    @property
    def hash(self) -> str:
        """Return the mark of its contents, nothing for an empty cart."""
        return totals.cart_hash(self.session, self.totals)

    @property
    def is_empty(self) -> bool:
        """Say whether nothing lies in it that the shop still has."""
        return not totals.lines_of(self.state, self.session)

    def add(self, number: int, quantity: int = 1, given: dict[str, str] | None = None, by_link: bool = False) -> Item:
        """Put pieces of a product or variation in, to those that are there; returns the line.

        `given` are attributes by name, `by_link` says that they came by a link or a form. Raises Refused for what
        cannot be bought, is out of stock (storefront:017) or too few are left of (storefront:018); nothing is added.
        """
        item = choices.resolve(self.state, number, quantity, given or {}, by_link)
        key = choices.key(item)
        held = self.session.items.get(key)
        self._check_stock(item, quantity + (held.quantity if held else 0))
        if held:
            held.quantity += quantity
        else:
            self.session.items[key] = item
        self._keep()
        return self.session.items[key]

    def _check_stock(self, item: Item, quantity: int) -> None:
        product = self.state.product(item.variation_id or item.product_id)
        if product is None:
            raise choices.refuse_product()
        start = "You cannot add"
        if not in_stock(product):
            text = f"{start} &quot;{product['name']}&quot; to the cart because the product is out of stock."
            raise Refused(400, "woocommerce_rest_product_out_of_stock", text)
        left = pieces(product)
        if left is not None and left < quantity:
            text = f"{start} that amount of &quot;{product['name']}&quot; to the cart because there is not enough stock"
            raise Refused(400, "woocommerce_rest_product_partially_out_of_stock", f"{text} ({left} remaining).")

    def set_quantity(self, key: str, quantity: int) -> None:
        """Set a line's pieces, 0 takes it out; raises Refused 409 for an unknown key (storefront:015)."""
        item = self._line(key)
        if quantity <= 0:
            self.remove(key)
            return
        self._check_stock(item, quantity)
        item.quantity = quantity
        self._keep()

    def remove(self, key: str) -> None:
        """Take a line out; raises Refused 409 for an unknown key."""
        self._line(key)
        del self.session.items[key]
        self._keep()

    def _line(self, key: str) -> Item:
        if key not in self.session.items:
            raise Refused(409, "woocommerce_rest_cart_invalid_key", "Cart item does not exist.")
        return self.session.items[key]

    def empty(self) -> None:
        """Take everything out, coupons too."""
        self.session.items.clear()
        self.session.coupons.clear()
        self._keep()

    def replace(self, items: dict[str, Item], coupons: list[str]) -> None:
        """Put other lines and coupons in place of all that is there, as a link does that brings a cart back."""
        self.session.items = {key: Item(**vars(item)) for key, item in items.items()}
        self.session.coupons = list(coupons)
        self._keep()

    def set_email(self, email: str) -> None:
        """Note the shopper's e-mail as WordPress cleans it, a broken one as nothing (storefront:025)."""
        self.set_addresses({"email": email}, {})

    def set_addresses(self, billing: dict[str, Any], shipping: dict[str, Any]) -> None:
        """Note parts of the two addresses; parts that are left out stay (storefront:024 to storefront:029)."""
        billing = dict(billing)
        if "email" in billing:
            billing["email"] = emails.sanitized(str(billing["email"] or ""))
        self.session.billing = fill(self.session.billing, billing)
        self.session.shipping = fill(self.session.shipping, shipping)
        self._keep()

    def apply_coupon(self, code: str) -> None:
        """Apply a coupon by its code in any case; raises Refused 400 saying why not (storefront:040 to 049, 106)."""
        held = has_coupon(self.session, code)
        if held:
            raise _coupon_error(f"Coupon code &quot;{held}&quot; has already been applied.")
        try:
            coupon = coupon_rules.check(self.state, self.session, code, self.totals.items)
        except CouponRefused as refused:
            raise _coupon_error(refused.message, refused.details) from refused
        self._check_alone()
        if coupon["individual_use"]:
            self.session.coupons.clear()
        self.session.coupons.append(coupon_codes.kept(code, self.state.is_ten))
        self._keep()

    def _check_alone(self) -> None:
        for code in self.session.coupons:
            coupon = coupon_codes.find(self.state.coupons, code)
            if coupon and coupon["individual_use"]:
                text = f"&quot;{code}&quot; has already been applied and cannot be used in conjunction with other"
                raise _coupon_error(f"{text} coupons.")

    def remove_coupon(self, code: str) -> None:
        """Take a coupon out; raises Refused 400 when the cart has no such coupon."""
        held = has_coupon(self.session, code)
        if not held:
            text = f'Coupon "{code}" cannot be removed because it is not already applied to the cart.'
            raise Refused(400, "woocommerce_rest_cart_coupon_invalid_code", text)
        self.session.coupons.remove(held)
        self._keep()

    def settle(self) -> list[dict[str, str]]:
        """Drop what is gone and coupons that no longer hold, and return what the shopper is told about it.

        Deleted products go without a word, sold-out ones stay and are told of (storefront:020); a coupon that goes is
        told of (storefront:101, storefront:108).
        """
        known = {line.key for line in totals.lines_of(self.state, self.session)}
        gone = [key for key in self.session.items if key not in known]
        for key in gone:
            del self.session.items[key]
        errors = [_told(line.product) for line in self.totals.lines if not in_stock(line.product)]
        errors += [self._removed(code, text) for code, text in self.broken_coupons().items()]
        return errors

    def broken_coupons(self) -> dict[str, str]:
        """Return why coupons of the cart no longer hold, by code."""
        broken, subtotal = {}, self.totals.items
        for code in self.session.coupons:
            try:
                coupon_rules.check(self.state, self.session, code, subtotal)
            except CouponRefused as refused:
                broken[code] = refused.message
        return broken

    def drop_bound(self) -> dict[str, CouponRefused]:
        """Take out the coupons that are not for the e-mail that buys, and return why not, by code."""
        dropped = {}
        for code in list(self.session.coupons):
            coupon = coupon_codes.find(self.state.coupons, code)
            try:
                if coupon:
                    coupon_rules.check_buyer(coupon, self.session)
            except CouponRefused as refused:
                self.remove_coupon(code)
                dropped[code] = refused
        return dropped

    def _removed(self, code: str, text: str) -> dict[str, str]:
        self.remove_coupon(code)
        message = f"The &#8220;{code}&#8221; coupon has been removed from your cart: {text}"
        return {"code": COUPON_ERROR, "message": message}

    def _keep(self) -> None:
        sessions.keep(self.state, self.session)


def in_stock(product: dict[str, Any]) -> bool:
    """Say whether a product can be had now."""
    left = pieces(product)
    return product["stock_status"] != "outofstock" and (left is None or left > 0)


def pieces(product: dict[str, Any]) -> int | None:
    """Return how many pieces there are, None when nobody counts or more can be ordered."""
    if not product["manage_stock"] or product["backorders_allowed"]:
        return None
    return int(product["stock_quantity"] or 0)


def _told(product: dict[str, Any]) -> dict[str, str]:
    text = f"&#8220;{product['name']}&#8221; is out of stock and cannot be purchased. Please remove it from your cart."
    return {"code": "woocommerce_rest_product_out_of_stock", "message": text}


def _coupon_error(text: str, details: dict[str, str] | None = None) -> Refused:
    more = {"details": details} if details else {}
    return Refused(400, COUPON_ERROR, text, **more)
