"""Codes that nobody guesses, coupons that end with the shop's day, and answers of the store that are not trusted."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integration.carts.coupons import ALPHABET, CODE_CHARS, PREFIX, body, expiry, fits, new_code
from integration.settings import CartModule
from integration.store.coupons import same_code

ROME = ZoneInfo("Europe/Rome")
UNTIL = datetime(2026, 12, 5, tzinfo=ROME)


def module(**values: Any) -> CartModule:
    return CartModule(enabled=True, **{"coupon": "percent", **values})


def test_codes_have_sixty_bits_and_no_signs_that_look_alike() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert CODE_CHARS * math.log2(len(set(ALPHABET))) >= 60
    assert not set("01OIL") & set(ALPHABET)
    assert all(code.startswith(PREFIX) and set(code.removeprefix(PREFIX)) <= set(ALPHABET) for code in codes)
    # Ten and later write them in small letters.
    assert len({code.casefold() for code in codes}) == 500
    assert same_code("RECOVER-ABC ", "recover-abc")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 27, 22, 30, tzinfo=UTC), "2026-12-05T00:00:00+01:00"),
        (datetime(2026, 11, 27, 23, 30, tzinfo=UTC), "2026-12-06T00:00:00+01:00"),
        (datetime(2026, 10, 20, 12, 0, tzinfo=UTC), "2026-10-28T00:00:00+01:00"),
    ],
)
def test_a_coupon_ends_with_a_day_of_the_shop_s_own_calendar(now: datetime, until: str) -> None:
    assert expiry(now, 7, ROME).isoformat() == until


def test_the_date_is_the_shop_s_own_for_the_other_one_is_ignored() -> None:
    made = body(module(coupon_minimum="20"), "RECOVER-1", "anna@shop.example", UNTIL)
    assert (made["date_expires"], "date_expires_gmt" in made) == ("2026-12-05T00:00:00", False)
    assert (made["discount_type"], made["amount"], made["minimum_amount"]) == ("percent", "10", "20")
    assert (made["usage_limit"], made["individual_use"]) == (1, True)
    assert made["email_restrictions"] == ["anna@shop.example"]


def test_free_shipping_takes_nothing_off_and_an_open_coupon_is_nobody_s() -> None:
    ships = body(module(coupon="free_shipping", coupon_use="open"), "RECOVER-1", "anna@shop.example", UNTIL)
    assert (ships["discount_type"], ships["amount"], ships["free_shipping"]) == ("fixed_cart", "0", True)
    assert (ships["individual_use"], ships["email_restrictions"]) == (False, [])


@pytest.mark.parametrize(
    ("asked", "kept", "good"),
    [
        (["Anna@Example.com"], ["anna@example.com"], True),
        (["jürgen@example.com"], ["jrgen@example.com"], False),
        (["anna@localhost"], [], False),
        (["anna@localhost"], None, False),
        (["*@example.com"], ["*@example.com"], False),
        ([], [], True),
        ([], ["anna@example.com"], False),
    ],
)
def test_a_coupon_is_for_whom_it_was_asked_for_or_for_nobody(asked: list[str], kept: Any, good: bool) -> None:
    assert fits({"id": 1, "email_restrictions": kept}, {"email_restrictions": asked}) is good
