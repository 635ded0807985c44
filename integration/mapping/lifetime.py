"""A person's lifetime values as contact fields (P38)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from integration.mapping import aliases, field_map
from integration.mapping.field_map import FieldRow
from integration.mapping.order_data import encode
from integration.money import number, rounded
from integration.plans import Adjustment, CurrencyTotal, Lifetime, MauticField, Value
from integration.settings import Modules

#: The source that is sure even where the orders could not be added up to one sum.
BY_CURRENCY = "lifetime.by_currency"
#: Source of a row in the field map -> its value; without orders the days are "" and the others 0.
VALUES: Mapping[str, Callable[[Lifetime], Value]] = {
    "lifetime.total_spent": lambda sums: number(rounded(sums.total_spent, sums.currency, sums.decimals)),
    "lifetime.order_count": lambda sums: sums.order_count,
    "lifetime.average": lambda sums: number(sums.average),
    "lifetime.first_day": lambda sums: sums.first_day or _utc_day(sums.first_order_at),
    "lifetime.last_day": lambda sums: sums.last_day or _utc_day(sums.last_order_at),
    BY_CURRENCY: lambda sums: by_currency(sums.by_currency),
}


def rows(modules: Modules) -> list[FieldRow]:
    """Return the rows of the field map that orders write and whose values are lifetime values."""
    return [row for source in VALUES for row in field_map.computed(source, modules)]


def fields(lifetime: Lifetime, modules: Modules) -> dict[str, Value]:
    """Return alias -> value for the lifetime values that are switched on, zeros and blanks too.

    When the orders could not be added up only the sums by currency are returned; `adjustments` says why.
    """
    sure = [row for row in rows(modules) if row.source == BY_CURRENCY or not lifetime.unsure]
    return {row.alias: VALUES[row.source](lifetime) for row in sure}


def told(lifetime: Lifetime, modules: Modules, shop_currency: str) -> tuple[dict[str, Value], tuple[Adjustment, ...]]:
    """Return what `fields` gives, and what has to be said of it; nothing where no value is switched on."""
    said = adjustments(lifetime, shop_currency, modules.naming.name_space) if modules.orders.lifetime else ()
    return fields(lifetime, modules), said


def held_by(modules: Modules, fields: Mapping[str, MauticField]) -> frozenset[str]:
    """Return the aliases, as Mautic has them, of the fields that lifetime values are written to."""
    found = (aliases.actual(row.alias, fields) for row in rows(modules))
    return frozenset(alias for alias in found if alias is not None)


def by_currency(totals: Iterable[CurrencyTotal]) -> str:
    """Return {"EUR": {"total": "12.30", "orders": 2}} as JSON, money as text so that no digit is lost; "" for none.

    A currency that nobody tells is called "unknown".
    """
    found = {each.currency or "unknown": {"total": each.text, "orders": each.orders} for each in totals}
    return encode(found) if found else ""


def adjustments(lifetime: Lifetime, shop_currency: str, name_space: str = "") -> tuple[Adjustment, ...]:
    """Return what has to be said of the values: paid orders in another currency than the shop's are not counted."""
    field = aliases.spaced(aliases.TOTAL_SPENT, name_space)
    if lifetime.unsure:
        return (Adjustment(field, "left_out", unsure(lifetime.unsure)),)
    count = lifetime.other_currencies
    if not count:
        return ()
    orders = "1 paid order is" if count == 1 else f"{count} paid orders are"
    currency = f"the shop's currency {shop_currency}" if shop_currency else "the shop's currency"
    sentence = f"{orders} not counted in the lifetime values, being in another currency than {currency}."
    return (Adjustment(field, "left_out", sentence),)


def unsure(currencies: tuple[str, ...]) -> str:
    """Return why orders in these currencies are not added up."""
    named = ", ".join(code or "an order without a currency" for code in currencies)
    return (
        f"The lifetime values are left out until the shop's currency is known: the paid orders are in {named}. "
        "The store did not tell it; let the API key's user be a shop manager."
    )


def _utc_day(at: datetime | None) -> str:
    return at.date().isoformat() if at is not None else ""
