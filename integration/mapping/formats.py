"""What a row of a person's own mapping makes of a value: text, date, number, yes or no, a list in one text, JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integration.mapping.order_data import encode
from integration.plans import Value
from integration.settings.mapping import ANY_OTHER, pairs

_TRUE = frozenset({"1", "true", "yes", "on", "y"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "none"})
#: Between the parts of a list; the sign that Mautic's lists want stands alone, others have a blank behind them.
_SEPARATOR, _ALONE = ",", "|"
_COMPACT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
#: Seconds since 1970, as plugins keep moments; a shorter number is no date.
_SECONDS = re.compile(r"\d{9,10}\Z", re.ASCII)
_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?\Z", re.ASCII),
    ",": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?\Z", re.ASCII),
}
_PLAIN = {
    ".": re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)\Z", re.ASCII),
    ",": re.compile(r"[+-]?(\d+(,\d*)?|,\d+)\Z", re.ASCII),
}
#: What stands around an amount: signs of currencies, their codes, percent, blanks of any kind and apostrophes.
_AROUND = re.compile(r"^[^\d+.,-]+|[^\d]+$")
_BETWEEN = re.compile(r"[\s'’\u00a0\u202f]+")
_DIGITS_MAX = 40


class Unfit(ValueError):
    """The value is none of this format; its text says so behind the value, as in "is no number"."""


def parts(value: Any) -> list[Any]:
    """Return the values of a list or map, one that is neither as the only one, nothing as none."""
    if isinstance(value, Mapping):
        value = list(value.values())
    found = value if isinstance(value, list | tuple) else [value]
    return [part for part in found if not is_empty(part)]


def is_empty(value: Any) -> bool:
    """Tell whether the store has no value: nothing, blanks, or a list or map without any; false and 0 are values."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return all(map(is_empty, value.values()))
    return value is None or (isinstance(value, list | tuple) and all(map(is_empty, value)))


def text_of(value: Any) -> str:
    """Return any value as one text: lists and maps by their parts with commas between them."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Mapping | list | tuple):
        return ", ".join(filter(None, (text_of(part) for part in parts(value))))
    return "" if value is None else str(value).strip()


def formatted(format: str, argument: str, value: Any) -> Value:
    """Return a value that is not empty as the format makes it; raises Unfit where it is none of that kind.

    None stands for what a replacement leaves out.
    """
    return _FORMATS[format](value, argument)


def _as_is(value: Any, argument: str) -> Value:
    return value if isinstance(value, bool | int | float) else text_of(value)


def _date(value: Any, argument: str) -> str:
    """Return the day as YYYY-MM-DD, with the time behind it where the store has one and no pattern is given."""
    text = text_of(value)
    if argument:
        return _by_pattern(text, argument)
    if compact := _COMPACT_DAY.match(text):
        text = "-".join(compact.groups())
    try:
        if _SECONDS.match(text):
            return datetime.fromtimestamp(int(text), UTC).isoformat()
        return datetime.fromisoformat(text).isoformat() if len(text) > len("YYYY-MM-DD") else _day(text)
    except (ValueError, OverflowError):
        raise Unfit("is no date") from None


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _by_pattern(text: str, pattern: str) -> str:
    names = re.findall("YYYY|MM|DD", pattern)
    form = re.escape(pattern).replace("YYYY", r"(\d{4})")
    form = form.replace("MM", r"(\d{1,2})", 1).replace("DD", r"(\d{1,2})", 1)
    found = re.match(rf"{form}(?!\d)", text, re.ASCII)
    if found is None:
        raise Unfit(f"is no date of the form {pattern}")
    at = dict(zip(names, map(int, found.groups()), strict=True))
    try:
        return date(at["YYYY"], at["MM"], at["DD"]).isoformat()
    except ValueError:
        raise Unfit("is no date") from None


def _number(value: Any, argument: str) -> str:
    text = _BETWEEN.sub("", _AROUND.sub("", text_of(value)))
    sign = argument or "."
    if len(text) > _DIGITS_MAX or not (_GROUPED[sign].match(text) or _PLAIN[sign].match(text)):
        raise Unfit("is no number")
    if _GROUPED[sign].match(text) or sign == ",":
        text = text.replace("," if sign == "." else ".", "")
    try:
        return f"{Decimal(text.replace(',', '.')):f}"
    except InvalidOperation:
        raise Unfit("is no number") from None


def _yes_no(value: Any, argument: str) -> Value:
    word = text_of(value).casefold()
    yes, no = _words(argument)
    is_yes = word in _TRUE or (bool(argument) and word == yes.casefold())
    if not is_yes and word not in _FALSE and not (argument and word == no.casefold()):
        raise Unfit("is neither yes nor no")
    return (yes if is_yes else no) if argument else is_yes


def _words(argument: str) -> tuple[str, str]:
    yes, _, no = argument.partition("|")
    return yes.strip(), no.strip()


def _list(value: Any, argument: str) -> str:
    sign = argument or _SEPARATOR
    texts = [text_of(part) for part in parts(value)]
    return (sign if sign == _ALONE else f"{sign} ").join(filter(None, texts))


def _map(value: Any, argument: str) -> Value:
    replaced = pairs(argument)
    if isinstance(value, Mapping | list | tuple):
        sent = [_replaced(text_of(part), replaced) for part in parts(value)]
        return ", ".join(dict.fromkeys(filter(None, sent))) or None
    return _replaced(text_of(value), replaced) or None


def _replaced(text: str, by: Mapping[str, str]) -> str:
    other = by.get(ANY_OTHER, text)
    return by.get(text.casefold(), other)


def _json(value: Any, argument: str) -> Value:
    return encode(value) if isinstance(value, Mapping | list | tuple) else _as_is(value, argument)


_FORMATS: Mapping[str, Callable[[Any, str], Value]] = {
    "as_is": _as_is,
    "upper": lambda value, _: text_of(value).upper(),
    "lower": lambda value, _: text_of(value).lower(),
    "date": _date,
    "number": _number,
    "yes_no": _yes_no,
    "list": _list,
    "map": _map,
    "json": _json,
}
