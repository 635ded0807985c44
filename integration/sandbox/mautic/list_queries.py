"""Lists of entities: where[], search, order and paging over rows as the API shows them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any

from flask import request

from integration.sandbox.mautic.answers import Crash
from integration.sandbox.mautic.request_body import entries, nested

DEFAULT_LIMIT = 30
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
Row = dict[str, Any]


class UnknownColumn(Exception):
    """A column that is not there was asked for."""


def query() -> dict[str, Any]:
    """Return the query string with where[] and order[] nested."""
    return nested(request.args.items(multi=True))


def whole(value: Any, otherwise: int) -> int:
    """Return a number of the query string, or otherwise."""
    said = str(value) if value is not None else ""
    return int(said) if said.isdigit() else otherwise


def _same(held: str, wanted: str) -> bool:
    return held.casefold() == wanted.casefold()


def _like(held: str, wanted: str) -> bool:
    return wanted.strip("%").casefold() in held.casefold()


@lru_cache(maxsize=8)
def _listed(wanted: str) -> frozenset[str]:
    return frozenset(each.strip().casefold() for each in wanted.split(","))


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "eq": _same,
    "neq": lambda held, wanted: not _same(held, wanted),
    "like": _like,
    "notLike": lambda held, wanted: not _like(held, wanted),
    "in": lambda held, wanted: held.casefold() in _listed(wanted),
    "notIn": lambda held, wanted: held.casefold() not in _listed(wanted),
}
_ORDERED = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def _text(value: Any) -> str:
    said = str(int(value)) if isinstance(value, bool) else str(value)
    return said[:19].replace("T", " ") if ISO.match(said) else said


def holds(held: Any, expression: str, wanted: Any) -> bool:
    """Tell whether a column's value fulfils one where[] condition (mautic:090-092, 101)."""
    if expression == "isNull":
        return held is None
    if held is None or expression == "isNotNull":
        return held is not None
    if isinstance(wanted, list | dict):
        raise Crash  # mautic:527.
    text = str(wanted)
    if expression in _ORDERED:
        return bool(_ORDERED[expression](*_comparable(_text(held), text)))
    if expression not in _TESTS:
        return True  # mautic:520, mautic:526: between, too, is no condition.
    return _TESTS[expression](_text(held), text)


def _comparable(held: str, wanted: str) -> tuple[Any, Any]:
    try:
        return float(held), float(wanted)
    except ValueError:
        return held, wanted


def fulfils(conditions: Any, column: Callable[[str], Any]) -> bool:
    """Tell whether a row fulfils all conditions, andX and orX nested; `column` may raise UnknownColumn."""
    return all(_condition(each, column) for each in entries(conditions))


def _condition(about: Any, column: Callable[[str], Any]) -> bool:
    expression = about.get("expr", "eq")
    if expression in ("andX", "orX"):
        if not isinstance(about.get("val"), list | dict):
            raise Crash  # mautic:525.
        parts = (_condition(each, column) for each in entries(about.get("val")))
        return all(parts) if expression == "andX" else any(parts)
    return holds(column(str(about.get("col", ""))), expression, about.get("val"))


def page(
    rows: Iterable[Row], default_order: str = "id", search: Callable[[Row, str], bool] | None = None
) -> tuple[int, list[Row]]:
    """Return the total and one page of rows as the query string asks; an unknown column is a 500 (mautic:093,
    mautic:094).
    """
    asked = query()
    try:
        chosen = [row for row in rows if fulfils(asked.get("where"), partial(_column, row))]
        if search and asked.get("search"):
            chosen = [row for row in chosen if search(row, asked["search"])]
        chosen = _ordered(chosen, asked, default_order)
    except UnknownColumn:
        raise Crash from None
    start, limit = whole(asked.get("start"), 0), whole(asked.get("limit"), DEFAULT_LIMIT)
    return len(chosen), chosen[start : start + limit if limit else None]


def _ordered(rows: list[Row], asked: dict[str, Any], default_order: str) -> list[Row]:
    orders = [(str(each.get("col")), str(each.get("dir", "asc"))) for each in entries(asked.get("order"))]
    if "orderBy" in asked:
        orders = [(asked["orderBy"], asked.get("orderByDir", "asc"))]
    default = (default_order.lstrip("-"), "desc" if default_order.startswith("-") else "asc")
    for name, direction in reversed(orders or [default]):
        rows = sorted(rows, key=partial(_key, name), reverse=direction.lower() == "desc")
    return rows


def sort_key(value: Any) -> tuple[int, Any]:
    """Return a key that puts null first, then numbers, then texts without letter case."""
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, int | float) else (2, str(value).casefold())


def _key(name: str, row: Row) -> tuple[int, Any]:
    held = _column(row, name)
    return sort_key(int(held) if name == "id" and str(held).isdigit() else held)  # Texts in tables (mautic:555).


def _column(row: Row, name: str) -> Any:
    bare = name.split(".")[-1]
    if bare not in row:
        raise UnknownColumn(name)
    return row[bare]


def named(row: Row, words: str) -> bool:
    """Tell whether a row's name, alias or subject holds the words of a search."""
    held = " ".join(str(row.get(key) or "") for key in ("name", "alias", "label", "subject", "tag", "text"))
    return words.casefold() in held.casefold()
