"""Takes the person's words out of every text that is not kept by the person, in all tables there are.

The tables are found by the models' metadata, so that a new one needs no line here: whoever adds one that quotes people
gets it swept. What is spared is named, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    Text,
    and_,
    cast,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from integration.models import Base
from integration.operations.erasure.words import Words

#: Ids that are looked through in one read, and rows that are rewritten in one transaction.
IDS_AT_ONCE, ROWS_AT_ONCE = 5000, 200
#: A shorter column holds a code, a hash or a number, and no text.
_TEXT_MIN_CHARS = 100
#: Tables of the people who work here, and of settings: they tell of no customer, or are erased in a way of their own.
SPARED = {
    "user_account": "who works here",
    "user_session": "who works here",
    "sign_in_link": "who works here",
    "invitation": "who is asked to work here",
    "api_token": "machines, and who made them",
    "alert_group": "who is told of alerts",
    "alert_silence": "who silenced an alert",
    "audit_entry": "a chain of hashes: see operations/audit/redaction.py",
    "audit_anchor": "hashes",
    "organisation": "a company's name",
    "connector": "settings and sealed secrets",
    "installation": "the program's own address",
    "erasure": "sealed, and emptied at the end",
    "heartbeat": "names of processes",
}


@dataclass(frozen=True, slots=True)
class Swept:
    """A table to be swept: its columns with text, and which of its rows may be looked at."""

    table: Table
    columns: tuple[Column[Any], ...]
    which: ColumnElement[bool]

    @property
    def number(self) -> Column[Any] | None:
        """Return the column that the rows are walked by, None where they have a key of several columns."""
        keys = list(self.table.primary_key.columns)
        return keys[0] if len(keys) == 1 and isinstance(keys[0].type, Integer) else None


def tables(organisation_id: int, connector_ids: Collection[int]) -> Iterator[Swept]:
    """Yield the tables that have texts, with the rows that belong to these connectors, or to the organisation."""
    for table in Base.metadata.sorted_tables:
        columns = tuple(column for column in table.columns if _is_text(column))
        if columns and table.name not in SPARED:
            yield Swept(table, columns, _owned(table, organisation_id, sorted(connector_ids)))


def windows(session: Session, swept: Swept) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that a table is looked through by, a stretch of ids each."""
    number = swept.number
    if number is None:
        yield true()
        return
    first, last = session.execute(select(func.min(number), func.max(number))).one()
    for start in range(first or 0, (last or -1) + 1, IDS_AT_ONCE):
        yield and_(number >= start, number < start + IDS_AT_ONCE)


def found(session: Session, swept: Swept, window: ColumnElement[bool], words: Words) -> list[tuple[Any, ...]]:
    """Return the keys of the rows in a window whose texts tell of the person."""
    keys = list(swept.table.primary_key.columns)
    text = _haystack(swept.columns)
    rows = session.execute(select(*keys, *swept.columns).where(swept.which, window, _likely(text, words)))
    return [tuple(row[: len(keys)]) for row in rows if words.are_in(_joined(row[len(keys) :]))]


def rewrite(session: Session, swept: Swept, keys: Sequence[tuple[Any, ...]], words: Words) -> int:
    """Take the words out of rows in the caller's transaction and return how many had one."""
    own = list(swept.table.primary_key.columns)
    rows = session.execute(select(*own, *swept.columns).where(tuple_(*own).in_(keys)).with_for_update()).all()
    changed = 0
    for row in rows:
        key, values = row[: len(own)], row[len(own) :]
        if words.are_in(_joined(values)):
            new = {column.name: _fitted(column, words.erased_value(value)) for column, value in _pairs(swept, values)}
            same = and_(*(column == value for column, value in zip(own, key, strict=True)))
            session.execute(update(swept.table).where(same).values(**new))
            changed += 1
    return changed


def _pairs(swept: Swept, values: Sequence[Any]) -> Iterator[tuple[Column[Any], Any]]:
    yield from ((column, value) for column, value in zip(swept.columns, values, strict=True) if value is not None)


def _fitted(column: Column[Any], value: Any) -> Any:
    """Return a value that is not longer than its column."""
    length = getattr(column.type, "length", None)
    return value[:length] if length and isinstance(value, str) else value


def _is_text(column: Column[Any]) -> bool:
    if column.primary_key or column.foreign_keys:
        return False
    if isinstance(column.type, JSON):
        return True
    return isinstance(column.type, String) and (column.type.length is None or column.type.length >= _TEXT_MIN_CHARS)


def _owned(table: Table, organisation_id: int, connector_ids: Sequence[int]) -> ColumnElement[bool]:
    """Return which rows are these connectors', or the organisation's, by the foreign keys however far they lead."""
    ways = [*_ways(table, "connector", connector_ids), *_ways(table, "organisation", [organisation_id])]
    return or_(*ways) if ways else false()


def _ways(table: Table, owner: str, ids: Sequence[int]) -> Iterator[ColumnElement[bool]]:
    """Yield a condition for each way that leads to an owner; a connector's rows are not looked for by its owner."""
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
        target = key.column.table
        if target.name == owner:
            yield key.parent.in_(ids)
        elif target.name not in ("connector", table.name) and (further := list(_ways(target, owner, ids))):
            yield key.parent.in_(select(key.column).where(or_(*further)))


def _haystack(columns: Sequence[Column[Any]]) -> ColumnElement[str]:
    texts = [func.coalesce(cast(column, Text), "") for column in columns]
    whole: Any = texts[0]
    for text in texts[1:]:
        whole = whole + " " + text
    lowered: ColumnElement[str] = func.lower(whole)
    return lowered


def _likely(text: ColumnElement[str], words: Words) -> ColumnElement[bool]:
    """Return the condition that rows may tell of the person; each is looked at closely afterwards."""
    return or_(*(and_(*(text.contains(form, autoescape=True) for form in group)) for group in words.likely()))


def _joined(values: Sequence[Any]) -> str:
    return "\n".join(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for value in values
        if value is not None
    )
