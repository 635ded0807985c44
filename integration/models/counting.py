"""Adds to rows of counts: one statement whatever the number of rows, right under concurrency on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from integration.models.base import Base
from integration.models.sql import upsert


def add(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], counters: Sequence[str]) -> None:
    """Add the rows' counters to what is stored under their keys; the rows must not repeat a key."""
    upsert(session, model, rows, lambda table, new: {name: table.c[name] + new[name] for name in counters})
