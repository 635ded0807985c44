"""Adds to rows of counts: one statement whatever the number of rows, right under concurrency on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.models.base import Base


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour that counts are kept by."""
    return at.replace(minute=0, second=0, microsecond=0)


def add(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], counters: Sequence[str]) -> None:
    """Add the rows' counters to what is stored under their keys; the rows must not repeat a key."""
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    values = {name: table.c[name] + statement.excluded[name] for name in counters}
    keys = [column.name for column in table.primary_key]
    statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    session.execute(statement, [dict(row) for row in rows])
