"""How often coupons were used, and by whom: an order takes them, a cancelled one gives them back (storefront:107)."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import coupon_codes, documents
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.state import State


def _coupons(state: State, row: Row) -> list[dict[str, Any]]:
    codes = [str(line["code"]) for line in documents.of_order(state, row)["coupon_lines"]]
    return [
        coupon
        for coupon in state.coupons.values()
        if any(coupon_codes.are_same(coupon["code"], code) for code in codes)
    ]


def _buyer(row: Row) -> str:
    return str(row.customer_id) if row.customer_id else row.email


def take(state: State, row: Row) -> None:
    """Count the coupons of an order as used by its buyer: an account's number or a guest's e-mail (storefront:104)."""
    for coupon in _coupons(state, row):
        coupon["usage_count"] += 1
        coupon["used_by"].append(_buyer(row))


def give_back(state: State, row: Row) -> None:
    """Count the coupons of an order as not used by it."""
    for coupon in _coupons(state, row):
        coupon["usage_count"] = max(0, coupon["usage_count"] - 1)
        if _buyer(row) in coupon["used_by"]:
            coupon["used_by"].remove(_buyer(row))
