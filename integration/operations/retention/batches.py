"""Deletes rows a batch at a time, so that nobody waits for the writer's lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select
from sqlalchemy.orm import Session

from integration.models.database import Database


class Batches:
    """Deletes rows a batch at a time, each in a short write transaction, and pauses between them."""

    def __init__(self, db: Database, size: int, pause: Callable[[], None]) -> None:
        self._db = db
        self._size = size
        self._pause = pause

    def delete(
        self,
        table: type[Any],
        where: ColumnElement[bool],
        key: Any = None,
        *,
        returning: Sequence[Any] = (),
        then: Callable[[Session, Sequence[Row[Any]]], None] | None = None,
    ) -> int:
        """Delete the table's rows that match and return their number; `then` sees each batch in its transaction."""
        key = table.id if key is None else key
        gone = 0
        while True:
            with self._db.write() as session:
                chosen = select(key).where(where).order_by(key).limit(self._size)
                statement = delete(table).where(key.in_(chosen)).returning(key, *returning)
                rows = session.execute(statement, execution_options={"synchronize_session": False}).all()
                if then and rows:
                    then(session, rows)
            gone += len(rows)
            if len(rows) < self._size:
                return gone
            self._pause()
