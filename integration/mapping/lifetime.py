"""A person's lifetime values as contact fields (P38)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from integration.mapping import aliases
from integration.plans import Adjustment
from integration.plans import Lifetime
from integration.plans import Value


def fields(lifetime: Lifetime) -> dict[str, Value]:
    """Return total, count, average and the first and last day; zeros are in it, `fit` deals with them."""
    found: dict[str, Value] = {
        aliases.TOTAL_SPENT: number(lifetime.total_spent),
        aliases.ORDER_COUNT: lifetime.order_count,
        aliases.AVERAGE: number(lifetime.average),
    }
    days = {aliases.FIRST_ORDER: lifetime.first_order_at, aliases.LAST_ORDER: lifetime.last_order_at}
    found.update({alias: _day(at) for alias, at in days.items() if at is not None})
    return found


def adjustments(lifetime: Lifetime, shop_currency: str) -> tuple[Adjustment, ...]:
    """Return what has to be said of the values: paid orders in another currency than the shop's are not counted."""
    count = lifetime.other_currencies
    if not count:
        return ()
    orders = "1 paid order is" if count == 1 else f"{count} paid orders are"
    currency = f"the shop's currency {shop_currency}" if shop_currency else "the shop's currency"
    sentence = f"{orders} not counted in the lifetime values, being in another currency than {currency}."
    return (Adjustment(aliases.TOTAL_SPENT, "left_out", sentence),)


def number(amount: Decimal) -> int | float:
    """Return an amount as a JSON number."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _day(at: datetime) -> str:
    return at.date().isoformat()
