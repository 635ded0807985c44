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


def test_a_question_that_was_asked_often_is_planned_by_its_values_still(postgres_url: str) -> None:
    """Also on a connection by which others write, whose statements are prepared."""
    looked, written = (text(f"SELECT count(*) FROM pg_class WHERE oid = :number AND {each}") for each in ("1=1", "2=2"))
    prepared = text("SELECT string_agg(statement, '') FROM pg_prepared_statements WHERE statement ~ 'oid ='")
    with opened(postgres_url) as db:
        for begin, question in ((db.read, looked), (db.write, written), (db.read, looked)):
            with begin() as session:
                for _ in range(20):
                    assert session.scalar(question, {"number": 1}) == 0
        with db.read() as session:
            found = session.scalar(prepared) or ""
    assert ("1=1" in found, "2=2" in found) == (False, True)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    db = open_database(url, connections=1)
    yield db
    db.dispose()


def _backend(db: Database) -> int:
    with db.read() as session:
        return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)
