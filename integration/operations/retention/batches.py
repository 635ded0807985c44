"""Deletes rows a batch at a time, so that nobody waits for the writer's lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select, true
from sqlalchemy.orm import Session

from integration.models.database import Database
from integration.models.sql import by_index


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
        by: tuple[Any, str] | None = None,
        returning: Sequence[Any] = (),
        then: Callable[[Session, Sequence[Row[Any]]], None] | None = None,
    ) -> int:
        """Delete the table's rows that match and return their number; `then` sees each batch in its transaction.

        `by` is a moment and the name of the index that gives the old ones by it, oldest first: each batch begins where
        the one before ended, so that what stays for another reason is not walked through again. Without it they go in
        the order of the key.
        """
        key = table.id if key is None else key
        at, index = by or (key, "")
        gone = 0
        begin: ColumnElement[bool] = true()
        while True:
            with self._db.write() as session:
                chosen = select(key).where(where, begin).order_by(at).limit(self._size)
                chosen = by_index(chosen, table, index) if index else chosen
                statement = delete(table).where(key.in_(chosen)).returning(at.label("place"), *returning)
                rows = session.execute(statement, execution_options={"synchronize_session": False}).all()
                if then and rows:
                    then(session, rows)
            gone += len(rows)
            if len(rows) < self._size:
                return gone
            begin = at >= max(row.place for row in rows)
            self._pause()
