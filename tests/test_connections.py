"""Connections to PostgreSQL that end while nobody uses them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from integration.models.database import PINGED_EVERY_S, Database, open_database


def test_a_connection_that_ended_while_it_rested_is_replaced(postgres_url: str) -> None:
    with opened(postgres_url) as db, opened(postgres_url) as another:
        before = _backend(db)
        assert _backend(db) == before
        with another.read() as session:
            assert session.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
        time.sleep(PINGED_EVERY_S)
        assert _backend(db) != before


@contextmanager
def opened(url: str) -> Iterator[Database]:
    db = open_database(url, connections=1)
    yield db
    db.dispose()


def _backend(db: Database) -> int:
    with db.read() as session:
        return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)
