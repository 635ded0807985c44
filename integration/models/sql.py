"""SQL that both databases understand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session


def begins(session: Session, column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a column begins with a text, by an index on both databases."""
    if session.get_bind().dialect.name == "sqlite":
        # A range uses the index, LIKE would not; nothing sorts behind the last character there is.
        return and_(column >= text, column < text + "\U0010ffff")
    found: ColumnElement[bool] = column.startswith(text, autoescape=True)
    return found
