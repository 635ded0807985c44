"""Amounts as the store writes them: two decimals whatever the currency, halves away from zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "KWD": "د.ك", "CHF": "CHF", "PLN": "zł"}


def amount(value: Any) -> Decimal:
    """Read an amount; nothing and nonsense count as zero."""
    try:
        return Decimal(str(value or "0"))
    except ArithmeticError:
        return Decimal(0)


def text(value: Decimal) -> str:
    """Write an amount with the store's two decimals, JPY and KWD alike (woo:056 and woo:057)."""
    return str(value.quantize(CENT, ROUND_HALF_UP))


def share(value: Decimal, percent: Decimal) -> Decimal:
    """Return a percentage of an amount in whole cents."""
    return (value * percent / 100).quantize(CENT, ROUND_HALF_UP)


def for_people(value: Decimal) -> str:
    """Write an amount as the Italian shop shows it, without its currency: 5.000,00 (storefront:047)."""
    return f"{value.quantize(CENT, ROUND_HALF_UP):,.2f}".translate(str.maketrans(",.", ".,"))


def minor(value: Decimal) -> str:
    """Write an amount in minor units, as the Store API does: 8615 for 86.15 (storefront:005)."""
    return str(int((value * 100).quantize(Decimal(1), ROUND_HALF_UP)))
