"""A person's lifetime values as contact fields (P38)."""

from __future__ import annotations

from datetime import datetime

from integration.mapping import aliases
from integration.money import number, rounded
from integration.plans import Adjustment, Lifetime, Value


def fields(lifetime: Lifetime) -> dict[str, Value]:
    """Return total, count, average and the first and last day; without orders the days are "", and zeros are in it.

    Nothing is returned when the orders could not be added up; `adjustments` says why.
    """
    if lifetime.unsure:
        return {}
    found: dict[str, Value] = {
        aliases.TOTAL_SPENT: number(rounded(lifetime.total_spent, lifetime.currency, lifetime.decimals)),
        aliases.ORDER_COUNT: lifetime.order_count,
        aliases.AVERAGE: number(lifetime.average),
    }
    first = lifetime.first_day or _utc_day(lifetime.first_order_at)
    last = lifetime.last_day or _utc_day(lifetime.last_order_at)
    found.update({aliases.FIRST_ORDER: first, aliases.LAST_ORDER: last})
    return found


def adjustments(lifetime: Lifetime, shop_currency: str) -> tuple[Adjustment, ...]:
    """Return what has to be said of the values: paid orders in another currency than the shop's are not counted."""
    if lifetime.unsure:
        return (Adjustment(aliases.TOTAL_SPENT, "left_out", unsure(lifetime.unsure)),)
    count = lifetime.other_currencies
    if not count:
        return ()
    orders = "1 paid order is" if count == 1 else f"{count} paid orders are"
    currency = f"the shop's currency {shop_currency}" if shop_currency else "the shop's currency"
    sentence = f"{orders} not counted in the lifetime values, being in another currency than {currency}."
    return (Adjustment(aliases.TOTAL_SPENT, "left_out", sentence),)


def unsure(currencies: tuple[str, ...]) -> str:
    """Return why orders in these currencies are not added up."""
    named = ", ".join(code or "an order without a currency" for code in currencies)
    return (
        f"The lifetime values are left out until the shop's currency is known: the paid orders are in {named}. "
        "The store did not tell it; let the API key's user be a shop manager."
    )


def _utc_day(at: datetime | None) -> str:
    return at.date().isoformat() if at is not None else ""
