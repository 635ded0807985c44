"""The contact fields that the modules need, whether Mautic has them, and a contact made fit for them (P70)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from integration.mapping import aliases, field_map
from integration.mapping.emails import fit_email
from integration.mapping.field_map import FieldRow
from integration.mapping.tags import fit_tags
from integration.mapping.values import fit_value
from integration.plans import NO_FIELD, Adjustment, ContactWrite, FieldNeed, MauticField, Value, is_blank
from integration.settings import Modules

#: Type that is needed -> types that hold the same values.
_HOLDS = {
    "text": ("text", "textarea", "html"),
    "textarea": ("textarea", "text", "html"),
    "url": ("url", "text", "textarea", "html"),
    "html": ("html",),
    "number": ("number",),
    "date": ("date", "datetime"),
}
#: Types that a blank text does not empty in Mautic (mautic:465, mautic:566).
_DATES = frozenset({"date", "datetime", "time"})


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """A needed field as Mautic has it; `state` is present, missing, unpublished, wrong_type or too_short."""

    need: FieldNeed
    state: str
    sentence: str
    field: MauticField | None = None


def needs(modules: Modules) -> tuple[FieldNeed, ...]:
    """Return the fields that the enabled modules write, by the aliases that Mautic will give them (mautic:260)."""
    return tuple(_need(row, writers) for row, writers in field_map.required(modules))


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
    return replace(write, email=email, fields=fitted, tags=tags), adjustments + said


def _in_address(alias: str, write: ContactWrite, fields: Mapping[str, MauticField]) -> bool:
    """Tell whether a value that was left out is part of a whole address: the former address's must not stay there."""
    field = fields.get(alias)
    parts = field_map.address_aliases()
    return field is not None and field.published and alias in parts and write.fields.keys() >= set(parts)


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
    """Say that the field is missing: Mautic would ignore it without a word (mautic:041)."""
    if value in ("", None):
        return ()
    sentence = f"Mautic has no field “{wanted}”, so its value was left out; create it under Mautic Fields."
    return (Adjustment(wanted, NO_FIELD, sentence),)


def _need(row: FieldRow, writers: tuple[str, ...]) -> FieldNeed:
    alias = row.alias if row.rule else aliases.cut(row.alias)
    own = row.rule is not None
    return FieldNeed(alias, row.label, row.type, row.length, writers, scale=row.scale, choices=row.choices, own=own)


def _check(need: FieldNeed, fields: Mapping[str, MauticField]) -> FieldCheck:
    alias = aliases.actual(need.alias, fields)
    if alias is None:
        todo = "make it there again, or take its row out of Field mapping" if need.own else "create it"
        return FieldCheck(need, "missing", f"Mautic has no field {need.alias}; {todo}.")
    field = fields[alias]
    if need.own:
        return FieldCheck(need, *_own_state(need, field), field)
    state, sentence = _state(need, field)
    return FieldCheck(need, state, sentence, field)


def _own_state(need: FieldNeed, field: MauticField) -> tuple[str, str]:
    """Return how a field that a person mapped is against the day when its row was saved."""
    again = "look at its row in Field mapping and save it again"
    if need.type and field.type != need.type:
        return "wrong_type", f"{field.alias} was a {need.type} field and is a {field.type} field now; {again}."
    if need.limit is not None and field.limit is not None and field.limit < need.limit:
        return "too_short", f"{field.alias} held {need.limit} characters and holds {field.limit} now; {again}."
    if not field.published:
        return "unpublished", f"{field.alias} is not published; publish it in Mautic."
    return "present", f"{field.alias} is there."


def _state(need: FieldNeed, field: MauticField) -> tuple[str, str]:
    if field.type not in _HOLDS.get(need.type, (need.type,)):
        return "wrong_type", f"{field.alias} is a {field.type} field; delete it in Mautic and create it as {need.type}."
    if need.limit is not None and field.limit is not None and field.limit < need.limit:
        return "too_short", f"{field.alias} holds {field.limit} characters; it needs {need.limit}, so use a textarea."
    if not field.published:
        return "unpublished", f"{field.alias} is not published; publish it in Mautic."
    return "present", f"{field.alias} is there."
