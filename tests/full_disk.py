"""A database that can grow no more: SQLite itself answers SQLITE_FULL, as on a full disk."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from integration.models import Database
from integration.pipeline import disk as disks

#: More pages than any test needs; the limit is a connection's own, so each gets it when it is taken from the pool.
_MANY = 1_000_000


def ask_every(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the disk be tried again after so many seconds, with 0 each time that somebody asks."""
    for name in ("LOOK_EVERY_S", "BELIEVED_S"):
        monkeypatch.setattr(disks, name, seconds)


class FullDisk:
    """Fills and empties the disk below a database."""

    def __init__(self, db: Database) -> None:
        self._pages, self._read_only = _MANY, False
        self._engine = db.engine
        with self._engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE filler (content BLOB)")
            connection.commit()
        event.listen(db.engine, "checkout", self._limit)

    def fill(self) -> None:
        """Let the database stay as large as it is, for SQLite takes no limit below that, and use up its free pages."""
        self._pages = 1
        with self._engine.connect() as connection, suppress(OperationalError):
            while True:
                connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(100))")
                connection.commit()

    def make_read_only(self) -> None:
        """Let the database take nothing at all."""
        self._read_only = True

    def make_room(self) -> None:
        """Let it be written and grow again."""
        self._pages, self._read_only = _MANY, False

    def _limit(self, connection: Any, record: Any, proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={self._pages}")
        connection.execute(f"PRAGMA query_only={int(self._read_only)}")
