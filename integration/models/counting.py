"""Adds to rows of counts: one statement whatever the number of rows, right under concurrency on both databases."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnCollection

from integration.models.base import Base
from integration.models.sql import Merge, upsert


def add(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], counters: Sequence[str]) -> None:
    """Add the rows' counters to what is stored under their keys; the rows must not repeat a key."""
    upsert(session, model, rows, _sums(tuple(counters)))


@functools.cache
def _sums(counters: tuple[str, ...]) -> Merge:
    def merge(table: Table, new: ColumnCollection[str, Any]) -> dict[str, Any]:
        return {name: table.c[name] + new[name] for name in counters}

    return merge
