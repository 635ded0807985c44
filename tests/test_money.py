"""Amounts have their currency's decimals, halves up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, strategies as st

from integration import money
from integration.plans import Lifetime

#: ISO 4217, written down here so that the table of Babel is checked too.
DECIMALS = {"EUR": 2, "USD": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "CLF": 4, "": 2}


@pytest.mark.parametrize(
    ("amount", "currency", "shop", "text"),
    [
        ("12.345", "KWD", None, "12.345"),
        ("12.345", "KWD", 2, "12.345"),
        ("12.3", "BHD", None, "12.300"),
        ("5000.00", "JPY", None, "5000"),
        ("5000.00", "JPY", 2, "5000"),
        ("686.5", "JPY", None, "687"),
        ("686.12", "JPY", 2, "686.12"),
        ("17.169999999999998", "EUR", None, "17.17"),
        ("17.169999999999998", "EUR", 4, "17.17"),
        ("0.0125", "EUR", 4, "0.0125"),
        ("0.0125", "EUR", None, "0.01"),
        ("2.345", "EUR", 2, "2.35"),
        ("-2.345", "EUR", 2, "-2.35"),
        ("1.4e-17", "EUR", None, "0.00"),
        ("-1.4e-17", "JPY", None, "0"),
        ("1E+3", "JPY", None, "1000"),
        ("1E+3", "EUR", None, "1000.00"),
        ("0.00012345", "BTC", None, "0.00012345"),
        ("10", "", None, "10.00"),
        ("10.005", "", 3, "10.005"),
    ],
)
def test_an_amount_has_its_currencys_decimals(amount: str, currency: str, shop: int | None, text: str) -> None:
    assert money.text(Decimal(amount), currency, shop) == text


AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=9)


@given(AMOUNTS, st.sampled_from(sorted(DECIMALS)))
def test_rounding_is_that_of_decimals(amount: Decimal, currency: str) -> None:
    unit = Decimal(10) ** -DECIMALS[currency]
    found = money.rounded(amount, currency)
    assert found == amount.quantize(unit, ROUND_HALF_UP) and abs(found - amount) * 2 <= unit
    assert money.rounded(found, currency) == found
    assert len(money.text(amount, currency).partition(".")[2]) == DECIMALS[currency]


@given(st.floats(min_value=0, max_value=10**9), st.sampled_from(sorted(DECIMALS)))
def test_a_float_of_json_is_read_by_its_digits(price: float, currency: str) -> None:
    exact = Decimal(repr(price)).quantize(Decimal(10) ** -DECIMALS[currency], ROUND_HALF_UP)
    assert money.number(money.rounded(Decimal(str(price)), currency)) == float(exact)


@given(st.lists(AMOUNTS.map(abs), min_size=1, max_size=9), st.sampled_from(sorted(DECIMALS)))
def test_an_average_is_rounded_once(amounts: list[Decimal], currency: str) -> None:
    total = sum(amounts, Decimal(0))
    unit = Decimal(10) ** -DECIMALS[currency]
    average = Lifetime(total, len(amounts), currency=currency).average
    assert average == (total / len(amounts)).quantize(unit, ROUND_HALF_UP)
