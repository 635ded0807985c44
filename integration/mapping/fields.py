"""The contact fields that the modules need, whether Mautic has them, and a contact made fit for them (P70)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integration.mapping import aliases
from integration.mapping.emails import fit_email
from integration.mapping.tags import fit_tags
from integration.mapping.values import fit_value
from integration.plans import ADDRESS, Adjustment, ContactWrite, FieldNeed, MauticField, Value, is_blank
from integration.settings import Modules

#: Characters that an order with a handful of items takes; a text field of 191 holds none.
ORDER_DATA_LENGTH = 2000
#: No currency has more decimals (CLF).
MONEY_SCALE = 4
_MONEY = (aliases.TOTAL_SPENT, aliases.AVERAGE)
#: Type that is needed -> types that hold the same values.
_HOLDS = {
    "textarea": ("textarea", "text", "html"),
    "number": ("number",),
    "date": ("date", "datetime"),
}
#: Types that a blank text does not empty in Mautic (465, 566).
_DATES = frozenset({"date", "datetime", "time"})
_LIFETIME = (
    (aliases.TOTAL_SPENT, "Woo total spent", "number"),
    (aliases.ORDER_COUNT, "Woo order count", "number"),
    (aliases.LAST_ORDER, "Woo last order date", "date"),
    (aliases.FIRST_ORDER, "Woo first order date", "date"),
    (aliases.AVERAGE, "Woo average order value", "number"),
)


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """A needed field as Mautic has it; `state` is present, missing, unpublished, wrong_type or too_short."""

    need: FieldNeed
    state: str
    sentence: str
    field: MauticField | None = None


def needs(modules: Modules) -> tuple[FieldNeed, ...]:
    """Return the fields that the enabled modules write, by the aliases that Mautic will give them (260)."""
    if not modules.orders.enabled:
        return ()
    data = [(aliases.ORDER_DATA, "Woo order data", "textarea")] if modules.orders.order_data else []
    lifetime = _LIFETIME if modules.orders.lifetime else ()
    return tuple(_need(*each) for each in (*data, *lifetime))


def alias_map(needs: Iterable[FieldNeed | str], fields: Mapping[str, MauticField]) -> dict[str, str]:
    """Return wanted alias -> the alias Mautic has it under, which may be cut (260); missing ones are not in it."""
    wanted = [need if isinstance(need, str) else need.alias for need in needs]
    found = {alias: aliases.actual(alias, fields) for alias in wanted}
    return {alias: actual for alias, actual in found.items() if actual is not None}


def check(needs: Iterable[FieldNeed], fields: Mapping[str, MauticField]) -> list[FieldCheck]:
    """Return for each need whether Mautic's fields meet it, in the order of the needs."""
    return [_check(need, fields) for need in needs]


def fit(
    write: ContactWrite, fields: Mapping[str, MauticField], *, known: bool = False
) -> tuple[ContactWrite, tuple[Adjustment, ...]]:
    """Return the write as Mautic takes it and what was changed, shortened or left out.

    A contact that is `known` by its id needs no address. Raises MappingError when the e-mail address cannot be sent:
    no_email, email_invalid, email_characters, email_too_long.
    """
    nameless = known and not write.email.strip()
    email, adjustments = ("", ()) if nameless else fit_email(write.email, fields.get("email"))
    fitted: dict[str, Value] = {}
    for wanted, value in write.fields.items():
        alias, value, said = _fit_one(wanted, value, fields, known=known)
        adjustments += said
        if value is None and _in_address(alias, write, fields):
            value = ""
        if value is not None:
            fitted[alias] = None if value == "" and fields[alias].type in _DATES else value
    tags, said = fit_tags(write.tags)
    return ContactWrite(email, fitted, tags), adjustments + said


def _in_address(alias: str, write: ContactWrite, fields: Mapping[str, MauticField]) -> bool:
    """Tell whether a value that was left out is part of a whole address: the former address's must not stay there."""
    field = fields.get(alias)
    return field is not None and field.published and alias in ADDRESS and write.fields.keys() >= set(ADDRESS)


def _fit_one(
    wanted: str, value: Value, fields: Mapping[str, MauticField], *, known: bool
) -> tuple[str, Value, tuple[Adjustment, ...]]:
    alias = aliases.actual(wanted, fields)
    if alias is None or wanted == "email":
        return wanted, None, _unknown(wanted, value) if alias is None else ()
    field = fields[alias]
    if not field.published:
        if is_blank(value):
            return alias, None, ()
        sentence = f"Mautic's field “{field.label or alias}” is not published, so its value was left out."
        return alias, None, (Adjustment(alias, "left_out", sentence),)
    return alias, *fit_value(field, value, known=known)


def _unknown(wanted: str, value: Value) -> tuple[Adjustment, ...]:
    """Say that the field is missing: Mautic would ignore it without a word (recording 041)."""
    if value in ("", None):
        return ()
    sentence = f"Mautic has no field “{wanted}”, so its value was left out; create it under Mautic Fields."
    return (Adjustment(wanted, "left_out", sentence),)


def _need(alias: str, label: str, type: str) -> FieldNeed:
    limit = ORDER_DATA_LENGTH if type == "textarea" else None
    scale = MONEY_SCALE if alias in _MONEY else 2
    return FieldNeed(aliases.cut(alias), label, type, limit, scale=scale)


def _check(need: FieldNeed, fields: Mapping[str, MauticField]) -> FieldCheck:
    alias = aliases.actual(need.alias, fields)
    if alias is None:
        return FieldCheck(need, "missing", f"Mautic has no field {need.alias}; create it.")
    field = fields[alias]
    state, sentence = _state(need, field)
    return FieldCheck(need, state, sentence, field)


def _state(need: FieldNeed, field: MauticField) -> tuple[str, str]:
    if field.type not in _HOLDS.get(need.type, (need.type,)):
        return "wrong_type", f"{field.alias} is a {field.type} field; delete it in Mautic and create it as {need.type}."
    if need.limit is not None and field.limit is not None and field.limit < need.limit:
        return "too_short", f"{field.alias} holds {field.limit} characters; it needs {need.limit}, so use a textarea."
    if not field.published:
        return "unpublished", f"{field.alias} is not published; publish it in Mautic."
    return "present", f"{field.alias} is there."
