"""The coupon of a cart (P58): made in the store before the cart is announced, many in one call, and checked.

Stores change coupons without a word: an address that they do not like is dropped, and then the coupon is everybody's,
or is written otherwise, and then it is nobody's (storefront:031 to storefront:035). Such a coupon is deleted at once.

A code is kept with its cart before the store hears of it. So when an answer is lost the store is asked for the same
code again, and says that it is taken instead of making a second coupon.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from integration import money
from integration.errors import AuthRejected, NotSetUp, Rejected, ServerFault, ServiceError
from integration.models.cart import Cart
from integration.settings import CartModule
from integration.settings.carts import BOUND, FIXED, FREE_SHIPPING, NONE, PERCENT
from integration.store import coupons as store
from integration.store.client import StoreClient
from integration.store.coupons import Coupon
from integration.store.php_values import whole
from integration.store.rows import row_id

PREFIX = "RECOVER-"
#: Letters and digits that nobody mistakes for another, in capitals or small; 13 of them are 64 bits. The shop's own
#: interface lets codes be tried as fast as it answers (storefront.md, "Coupons").
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_CHARS = 13
#: After so many tries a cart is announced without the coupon that a faulty store does not make.
TRIES_MAX = 4
_NO_ZONE = "No coupon: no shipping zone of the shop has free shipping that asks for a coupon."


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of a cart's coupon: `id` None without one, `until` when it expires.

    `said` is for the cart's story, `problem` what a person should know, both "" for nothing; `made` says that the store
    has it only now.
    """

    id: int | None = None
    code: str = ""
    until: datetime | None = None
    said: str = ""
    problem: str = ""
    made: bool = False


def new_code() -> str:
    """Return a code that nobody can guess."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))


def may_get_one(module: CartModule, cart: Cart) -> bool:
    """Tell whether a code has to be thought of for a cart."""
    return module.coupon != NONE and not cart.coupon_code


def expiry(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the end of the last day of a coupon, by the shop's own clock: it is valid for so many whole days."""
    day = now.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), zone)


def body(module: CartModule, code: str, email: str, until: datetime) -> dict[str, Any]:
    """Return a coupon for the store; date_expires is the shop's own time, date_expires_gmt would be ignored."""
    ships = module.coupon == FREE_SHIPPING
    return {
        "code": code,
        "discount_type": PERCENT if module.coupon == PERCENT else FIXED,
        "amount": "0" if ships else str(module.coupon_amount),
        "free_shipping": ships,
        "date_expires": until.replace(tzinfo=None).isoformat(),
        "minimum_amount": str(module.coupon_minimum),
        "usage_limit": 1,
        # A discount is not added to those of other coupons; free shipping takes nothing away from them.
        "individual_use": not ships,
        "email_restrictions": [email] if module.coupon_use == BOUND else [],
        "description": "Recovery of an abandoned cart",
    }


def fits(coupon: Coupon, wanted: Mapping[str, Any]) -> bool:
    """Tell whether the store has kept whose coupon it is; a `*` would open it to others (storefront:035)."""
    asked = [str(each).casefold() for each in wanted["email_restrictions"]]
    kept = coupon.get("email_restrictions")
    told = [str(each).casefold() for each in kept] if isinstance(kept, list) else []
    return told == asked and not any("*" in each for each in asked)


@dataclass
class Desk:
    """Gives the carts of one batch their coupons.

    `totals` maps a cart's id to its value, None where that is unknown. `keep_codes` keeps the new codes of carts before
    the store hears of them.
    """

    client: StoreClient
    module: CartModule
    now: datetime
    zone: ZoneInfo
    currency: str
    totals: Mapping[int, Decimal | None]
    keep_codes: Callable[[Sequence[Cart]], None]
    _found: dict[int, Issued] = field(default_factory=dict)

    def issue(self, carts: Sequence[Cart]) -> dict[int, Issued]:
        """Return cart id -> what became of its coupon.

        Raises ServiceError where the store cannot be asked now; what it refuses keeps no cart from being announced.
        """
        try:
            self._reuse([cart for cart in carts if cart.coupon_id is not None])
            self._make([cart for cart in carts if cart.id not in self._found])
        except (Rejected, AuthRejected, NotSetUp) as error:
            self._without(carts, error)
        except ServerFault as error:
            if any(cart.tries < TRIES_MAX for cart in carts):
                raise
            self._without(carts, error)
        return self._found

    def _without(self, carts: Sequence[Cart], error: ServiceError) -> None:
        left = [cart for cart in carts if cart.id not in self._found]
        self._found |= {cart.id: Issued(problem=f"It has no coupon: {error}") for cart in left}

    def _reuse(self, carts: Sequence[Cart]) -> None:
        """Keep the coupons of earlier announcements that are still good; those that nobody can use now are deleted."""
        # One that cannot be read is made anew; it expires by itself.
        there, _ = store.read_coupons(self.client, [cart.coupon_id or 0 for cart in carts])
        good = {cart.id for cart in carts if self._is_good(there.get(cart.coupon_id or 0, {}), cart)}
        self._found |= {c.id: Issued(c.coupon_id, c.coupon_code, c.coupon_until) for c in carts if c.id in good}
        former = [cart for cart in carts if cart.id not in good]
        useless = [there[c.coupon_id] for c in former if c.coupon_id in there]
        store.delete_coupons(self.client, [row_id(each) for each in useless if not whole(each.get("usage_count"))])
        for cart in former:
            cart.coupon_id, cart.coupon_until = None, None
            cart.coupon_code = new_code() if self.module.coupon != NONE else ""
        if former:
            self.keep_codes(former)

    def _is_good(self, coupon: Coupon, cart: Cart) -> bool:
        unused = bool(coupon) and not whole(coupon.get("usage_count"))
        lasts = cart.coupon_until is not None and cart.coupon_until > self.now
        theirs = [cart.email] if coupon.get("email_restrictions") else []
        return unused and lasts and fits(coupon, {"email_restrictions": theirs})

    def _make(self, carts: Sequence[Cart]) -> None:
        wanted = [cart for cart in carts if self._is_due(cart)]
        if wanted and self.module.coupon == FREE_SHIPPING and not store.has_free_shipping(self.client):
            self._found |= {cart.id: Issued(said=_NO_ZONE, problem=_NO_ZONE) for cart in wanted}
            return
        for start in range(0, len(wanted), store.BATCH_MAX):
            self._make_some(wanted[start : start + store.BATCH_MAX])

    def _is_due(self, cart: Cart) -> bool:
        if self.module.coupon == NONE:
            self._found[cart.id] = Issued()
            return False
        least, total = Decimal(self.module.coupon_minimum), self.totals.get(cart.id)
        if total is None or total >= least:
            return True
        shown = (f"{money.text(amount, self.currency)} {self.currency}".strip() for amount in (total, least))
        self._found[cart.id] = Issued(said="No coupon: the cart is worth {}, and it takes {}.".format(*shown))
        return False

    def _make_some(self, carts: Sequence[Cart]) -> None:
        until = expiry(self.now, self.module.coupon_days, self.zone)
        asked = [body(self.module, cart.coupon_code, cart.email, until) for cart in carts]
        made, _ = store.write_coupons(self.client, asked)
        odd: dict[int, int] = {}
        for cart, wanted, coupon in zip(carts, asked, made, strict=True):
            if isinstance(coupon, Rejected) and coupon.code == store.TAKEN:
                coupon = self._made_before(cart.coupon_code, wanted) or coupon
            if isinstance(coupon, Rejected):
                self._found[cart.id] = Issued(problem=f"It has no coupon: {coupon}")
            elif fits(coupon, wanted):
                self._found[cart.id] = Issued(row_id(coupon), cart.coupon_code, until, made=True)
            else:
                odd[cart.id] = row_id(coupon)
        self._take_back(odd)

    def _made_before(self, code: str, wanted: Mapping[str, Any]) -> Coupon | Rejected | None:
        """Return the coupon whose making was never answered, as it is wanted now."""
        known = store.find_coupon(self.client, code)
        if known is None:
            return None
        _, (changed,) = store.write_coupons(self.client, [], [{**wanted, "id": row_id(known)}])
        return changed

    def _take_back(self, odd: Mapping[int, int]) -> None:
        """Delete what is not for the address that it was asked for; until that is done no cart of them is announced."""
        store.delete_coupons(self.client, list(odd.values()))
        text = "The store changed the address that the coupon was for, so it was deleted and the cart has none."
        self._found |= {number: Issued(said=text, problem=text) for number in odd}
