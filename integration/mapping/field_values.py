"""The values of a record for the rows of the field map: read at their paths, converted, and filled in as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from integration.events import Kind
from integration.mapping import field_map, places
from integration.mapping.field_map import FieldRow
from integration.money import number
from integration.plans import Adjustment, Value, is_blank
from integration.records import Customer, Order
from integration.settings import Modules

Values = dict[str, Value]
Record = Customer | Order
#: A value beside another one: its name in the same part of the record -> its value.
Beside = Callable[[str], Value]


def value_at(record: Record, path: str) -> Value:
    """Return the record's value at a path of the field map without blanks around it, "" where it has none."""
    if path in record.extra:
        return _plain(record.extra[path])
    try:
        return _plain(attrgetter(path)(record))
    except AttributeError:
        return ""


def _plain(value: object) -> Value:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | float) else ""


def first_given(record: Record, paths: Sequence[str]) -> tuple[Value, int]:
    """Return the first value that is not blank and its place among the paths, ("", 0) without any."""
    values = (value_at(record, path) for path in paths)
    return next(((value, place) for place, value in enumerate(values) if not is_blank(value)), ("", 0))


def person_values(record: Record, kind: Kind, modules: Modules) -> tuple[Values, tuple[Adjustment, ...]]:
    """Return alias -> value for the rows with a path, and what had no name in Mautic's lists.

    Names and a phone that the store has not are left out, so that they stay in Mautic as they are. A group such as the
    address is one value: all its parts are in it, "" those that it has not. An entirely blank one is left out.
    """
    found: Values = {}
    said: list[Adjustment] = []
    rows = [row for row in field_map.written(kind, modules) if row.paths]
    given = {row.group for row in rows if row.group and _is_given(record, row)}
    for row in rows:
        value = _converted(record, row)
        if value is None:
            said.append(_unlisted(row.alias, first_given(record, row.paths)[0]))
        if not is_blank(value) or row.group in given:
            found[row.alias] = "" if value is None else value
    return found, tuple(said)


def unread(record: Record) -> tuple[Adjustment, ...]:
    """Return what the store's record has in fields that nobody can read, and that are taken for empty."""
    sentence = "“{}” of the store's record cannot be read and was taken for empty."
    return tuple(Adjustment(path, "left_out", sentence.format(path)) for path in record.unread)


def has_address(record: Record, kind: Kind) -> bool:
    """Tell whether the store has any part of the person's address, whether it is written or not."""
    return any(row.group == field_map.ADDRESS and _is_given(record, row) for row in field_map.rows(kind))


def _is_given(record: Record, row: FieldRow) -> bool:
    return not is_blank(first_given(record, row.paths)[0])


def _converted(record: Record, row: FieldRow) -> Value:
    """Return the value as its converter makes it, "" for a blank one, None for one that Mautic does not list."""
    value, place = first_given(record, row.paths)
    if is_blank(value):
        return ""
    part = row.paths[place].rpartition(".")[0]
    return CONVERTERS[row.converter](value, lambda name: value_at(record, f"{part}.{name}" if part else name))


def _as_it_is(value: Value, beside: Beside) -> Value:
    return value


def _country(value: Value, beside: Beside) -> Value:
    return places.country(str(value))


def _state(value: Value, beside: Beside) -> Value:
    """Name a state by the country in the same address."""
    return places.state(str(beside("country")), str(value))


#: What a row's `converter` may be, beside "computed". None stands for what Mautic's lists do not have.
CONVERTERS: Mapping[str, Callable[[Value, Beside], Value]] = {"text": _as_it_is, "country": _country, "state": _state}


def _unlisted(alias: str, value: Value) -> Adjustment:
    return Adjustment(alias, "left_out", f"Mautic's list has no {alias} for “{value}”, so the {alias} was left out.")
