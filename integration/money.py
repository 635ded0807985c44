"""Amounts with as many decimals as their currency has, halves rounded up; the one place that knows how many that are.

The decimals of currencies are Unicode's (CLDR, by Babel): 2 for EUR, 0 for JPY, 3 for KWD. A shop may keep more of its
own currency than that ("Number of decimals" in WooCommerce); what it keeps there is not rounded away.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.numbers import get_currency_precision, list_currencies

#: Decimals of an amount without a currency.
USUAL_DECIMALS = 2
#: A code that is not a country's currency (points, BTC) keeps at most so many: no smaller unit is in use.
DECIMALS_MAX = 8


def decimals(currency: str) -> int:
    """Return how many decimals amounts in a currency (ISO 4217) have at least."""
    return get_currency_precision(currency) if _listed(currency) else USUAL_DECIMALS


def rounded(amount: Decimal, currency: str, shop_decimals: int | None = None) -> Decimal:
    """Return the amount in the currency's decimals; never a negative zero.

    `shop_decimals` are the shop's own where the currency is the shop's: digits up to there stay, zeros at the end do
    not ("5000.00" JPY is 5000). A code that is not a currency keeps what digits it has, up to eight.
    """
    least = decimals(currency)
    most = max(least, shop_decimals or 0) if _listed(currency) or not currency else DECIMALS_MAX
    exact = amount.quantize(Decimal(1).scaleb(-min(most, DECIMALS_MAX)), ROUND_HALF_UP)
    short = exact.quantize(Decimal(1).scaleb(-least), ROUND_HALF_UP)
    found = short if short == exact else exact.normalize()
    return found if found else abs(found)


def text(amount: Decimal, currency: str, shop_decimals: int | None = None) -> str:
    """Return the amount rounded and in plain digits, without the currency: "49.90", "5000", "12.345"."""
    return f"{rounded(amount, currency, shop_decimals):f}"


def number(amount: Decimal) -> int | float:
    """Return an amount that is rounded as a JSON number."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _listed(currency: str) -> bool:
    return currency in _currencies()


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())
