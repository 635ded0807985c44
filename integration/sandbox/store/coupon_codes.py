"""Coupon codes: how a version of WooCommerce keeps them, and when two are the same."""

from __future__ import annotations

from typing import Any


def kept(code: str, is_ten: bool) -> str:
    """Return a code as it is kept: as given on 9.9.5, in lower case on 10 (storefront:031, storefront:110)."""
    return code.lower() if is_ten else code


def are_same(one: str, other: str) -> bool:
    """Say whether two codes name one coupon: case does not count on any version (storefront:042)."""
    return one.lower() == other.lower()


def find(coupons: dict[int, dict[str, Any]], code: str) -> dict[str, Any] | None:
    """Return the coupon of a code in any case, of several the oldest."""
    return next((each for each in coupons.values() if are_same(each["code"], code)), None)
