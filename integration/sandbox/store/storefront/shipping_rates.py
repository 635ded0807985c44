"""The ways a cart can be shipped: the rates of its zone, and the one that is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration.sandbox.store import money
from integration.sandbox.store.sessions_kept import Session
from integration.sandbox.store.shipping_zones import FREE, Method, Zone
from integration.sandbox.store.state import State


@dataclass(frozen=True)
class Offer:
    """One rate: its id such as flat_rate:1, the method behind it, its cost and tax."""

    id: str
    method: Method
    cost: Decimal
    tax: Decimal


def zone_of(state: State, country: str) -> Zone:
    """Return the zone of a country: the first that names it, else the one for everywhere."""
    named = (zone for number, zone in sorted(state.zones.items()) if number and country in zone.countries)
    return next(named, state.zones[0])


def offers(
    state: State, session: Session, coupons: list[dict[str, Any]], subtotal: Decimal, percent: Decimal
) -> list[Offer]:
    """Return the rates a cart of that subtotal can choose from; `percent` is the tax on shipping."""
    is_free = any(coupon["free_shipping"] for coupon in coupons)
    methods = [each for each in zone_of(state, session.shipping["country"]).methods if each.enabled]
    made = []
    for method in methods:
        if method.kind != FREE:
            made.append(Offer(f"{method.kind}:{method.id}", method, method.cost, money.share(method.cost, percent)))
        elif _is_free(method, is_free, subtotal):
            made.append(Offer(f"{FREE}:{method.id}", method, Decimal(0), Decimal(0)))
    return made


def _is_free(method: Method, has_coupon: bool, subtotal: Decimal) -> bool:
    # Without a method that asks for a coupon, a coupon for free shipping changes nothing (storefront:049).
    enough = subtotal >= money.amount(method.settings.get("min_amount"))
    meets = {"": True, "coupon": has_coupon, "min_amount": enough}
    meets |= {"either": has_coupon or enough, "both": has_coupon and enough}
    return meets[method.settings.get("requires", "")]


def chosen(session: Session, coupons: list[dict[str, Any]], rates: list[Offer]) -> Offer | None:
    """Return the rate a cart has: free shipping if a coupon gives it (storefront:051), else the chosen or the first."""
    if any(coupon["free_shipping"] for coupon in coupons):
        free = next((each for each in rates if each.method.kind == FREE), None)
        if free:
            return free
    return next((each for each in rates if each.id == session.rate), rates[0] if rates else None)
