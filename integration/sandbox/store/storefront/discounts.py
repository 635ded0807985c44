"""How a coupon's discount is shared by the lines of a cart, to the cent, in WooCommerce's way.

A percentage is rounded down line by line and what is missing to the share of the whole is taken cent by cent from the
first lines (storefront:124: 10 % of 470.07 and 22.00 are 47.01 and 2.20); an amount for the cart is shared equally by
the pieces. All amounts here are whole cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integration.sandbox.store import money


@dataclass
class Share:
    """One line: what is left of it, its pieces, and what was cut off."""

    left: int
    pieces: int
    cut: int = 0

    def take(self, cents: int) -> int:
        """Cut off so much, but no more than is left; returns what was cut."""
        taken = min(cents, self.left)
        self.left -= taken
        self.cut += taken
        return taken


def _cents(value: Decimal) -> int:
    return int((value * 100).quantize(Decimal(1), ROUND_HALF_UP))


def cuts(coupon: dict[str, Any], lines: list[tuple[Decimal, int]]) -> list[Decimal]:
    """Return what a coupon takes off each line; a line is what it costs now and its pieces."""
    shares = [Share(_cents(total), pieces) for total, pieces in lines]
    amount = money.amount(coupon["amount"])
    if coupon["discount_type"] == "percent":
        _percent(shares, min(amount, Decimal(100)))
    elif coupon["discount_type"] == "fixed_product":
        _each(shares, _cents(amount))
    else:
        _whole(shares, _cents(amount))
    return [Decimal(share.cut) / 100 for share in shares]


def _percent(shares: list[Share], percent: Decimal) -> None:
    wanted = int((sum(share.left for share in shares) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))
    given = sum(share.take(int(share.left * percent / 100)) for share in shares)
    _cent_by_cent(shares, wanted - given)


def _each(shares: list[Share], cents: int) -> int:
    return sum(share.take(cents * share.pieces) for share in shares)


def _whole(shares: list[Share], cents: int) -> None:
    """Share an amount by the pieces; what a cheap line cannot take goes to the others."""
    left = cents
    while left > 0:
        open_shares = [share for share in shares if share.left > 0]
        pieces = sum(share.pieces for share in open_shares)
        if not pieces:
            return
        if left < pieces:
            _cent_by_cent(open_shares, left)
            return
        left -= _each(open_shares, left // pieces)


def _cent_by_cent(shares: list[Share], cents: int) -> None:
    for share in shares:
        for _ in range(share.pieces):
            if cents <= 0:
                return
            cents -= share.take(1)
