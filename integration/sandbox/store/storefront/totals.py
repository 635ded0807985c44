"""What a cart costs: lines, discounts, shipping and tax, in the shop's currency without tax unless said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integration.sandbox.store import coupon_codes, money
from integration.sandbox.store.sessions_kept import Item, Session
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import coupon_rules, discounts
from integration.sandbox.store.storefront.shipping_rates import Offer, chosen, offers
from integration.sandbox.store.taxes import Rate, rate_of


@dataclass
class Line:
    """A line with its money: before (`subtotal`) and after discounts (`total`)."""

    key: str
    item: Item
    product: dict[str, Any]
    subtotal: Decimal
    total: Decimal
    percent: Decimal

    @property
    def subtotal_tax(self) -> Decimal:
        """Return the tax before discounts, in whole cents."""
        return money.share(self.subtotal, self.percent)

    @property
    def total_tax(self) -> Decimal:
        """Return the tax after discounts, in whole cents."""
        return money.share(self.total, self.percent)


@dataclass
class Totals:
    """All that follows from a cart.

    `cuts` are discount and its tax by the code the cart shows, `real_cuts` those that count, in the order of `coupons`.
    """

    lines: list[Line]
    rate: Rate
    coupons: list[dict[str, Any]] = field(default_factory=list)
    cuts: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    real_cuts: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    shipping: Offer | None = None

    @property
    def needs_shipping(self) -> bool:
        """Say whether anything in the cart is sent by post."""
        return any(not line.product["virtual"] for line in self.lines)

    @property
    def items(self) -> Decimal:
        """Return what the lines cost before discounts."""
        return sum((line.subtotal for line in self.lines), Decimal(0))

    @property
    def items_tax(self) -> Decimal:
        """Return the tax on that."""
        return sum((line.subtotal_tax for line in self.lines), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """Return what coupons take off."""
        return self.items - sum((line.total for line in self.lines), Decimal(0))

    @property
    def discount_tax(self) -> Decimal:
        """Return the tax that falls away with the discount."""
        return self.items_tax - sum((line.total_tax for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """Return the tax on lines and shipping."""
        return self.items_tax - self.discount_tax + (self.shipping.tax if self.shipping else Decimal(0))

    @property
    def total(self) -> Decimal:
        """Return what is to be paid, with tax and shipping."""
        return self.items - self.discount + (self.shipping.cost if self.shipping else Decimal(0)) + self.tax


def lines_of(state: State, session: Session) -> list[Line]:
    """Return the lines at today's prices; what was deleted has none (storefront:020)."""
    percent = rate_of(session.shipping["country"]).percent
    made = []
    for key, item in session.items.items():
        product = state.product(item.variation_id or item.product_id)
        if product:
            cost = money.amount(product["price"]) * item.quantity
            made.append(Line(key, item, product, cost, cost, percent))
    return made


def totals(state: State, session: Session) -> Totals:
    """Reckon a cart."""
    made = Totals(lines_of(state, session), rate_of(session.shipping["country"]))
    for code in session.coupons:
        coupon = coupon_codes.find(state.coupons, code)
        if coupon:
            made.coupons.append(coupon)
            cut = _discount(state, coupon, made.lines)
            made.real_cuts.append(cut)
            # 9.9.5 shows a discount of 0 for a code typed in another case than it was made in (storefront:042).
            made.cuts[code] = cut if state.is_ten or coupon["code"] == code else (Decimal(0), Decimal(0))
    if made.needs_shipping:
        after = made.items - made.discount
        made.offers = offers(state, session, made.coupons, after, made.rate.percent)
        made.shipping = chosen(session, made.coupons, made.offers)
    return made


def _discount(state: State, coupon: dict[str, Any], lines: list[Line]) -> tuple[Decimal, Decimal]:
    fit = [line for line in lines if coupon_rules.is_for(state, coupon, line.item)]
    before = sum((line.total for line in fit), Decimal(0)), sum((line.total_tax for line in fit), Decimal(0))
    shares = discounts.cuts(coupon, [(line.total, line.item.quantity) for line in fit])
    for line, cut in zip(fit, shares, strict=True):
        line.total -= cut
    after = sum((line.total for line in fit), Decimal(0)), sum((line.total_tax for line in fit), Decimal(0))
    return before[0] - after[0], before[1] - after[1]


def cart_hash(session: Session, made: Totals) -> str:
    """Return the mark of what lies in a cart and what it costs, nothing for an empty one."""
    if not made.lines:
        return ""
    told = [[line.key, line.item.quantity, str(line.subtotal), str(line.total)] for line in made.lines]
    text = json.dumps([told, str(made.total)])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def has_coupon(session: Session, code: str) -> str:
    """Return the code under which the cart has that coupon, or nothing."""
    return next((each for each in session.coupons if coupon_codes.are_same(each, code)), "")
