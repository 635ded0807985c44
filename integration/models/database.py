"""Engines and transactions: short writes, one writer at a time on SQLite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session

_IMMEDIATE = "write"
#: A server that does not answer at all is given up after so long.
CONNECT_TIMEOUT_S = 10


class Database:
    """Hands out sessions on one engine: `read` for looking, `write` for a short transaction that commits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        # Threads of one process queue here: SQLite's own waiting sleeps up to 100 ms at a time.
        self._turn: AbstractContextManager[Any] = threading.RLock() if self.sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that is rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session in a write transaction, committed at the end, rolled back on an exception.

        On SQLite the writer's lock is taken at the start: a transaction that reads first and writes later would fail
        with "database is locked" when another one commits in between.
        """
        with self._turn, Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={_IMMEDIATE: True})
            yield session
            session.commit()

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Return a database for a SQLAlchemy URL."""
    return Database(prepare(create_engine(url, **engine_options(url))))


def engine_options(url: str) -> dict[str, Any]:
    """Return create_engine's options for a URL."""
    # Errors are logged, and the values of a statement are people's.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.startswith("sqlite"):
        sqlite = {"timeout": 30, "check_same_thread": False}
        return {**options, "connect_args": sqlite, "pool_size": 20, "max_overflow": 40}
    postgres = {"connect_timeout": CONNECT_TIMEOUT_S}
    return {**options, "connect_args": postgres, "pool_size": 10, "max_overflow": 20, "pool_pre_ping": True}


def prepare(engine: Engine) -> Engine:
    """Set the engine up once: on SQLite WAL, busy time-out, foreign keys and explicit BEGIN."""
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _on_connect):
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, record: Any) -> None:
    # pysqlite would begin transactions by itself, and too late; with None it leaves that to _on_begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA cache_size=-16000")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def lock_connector(session: Session, connector_id: int) -> None:
    """Serialise accept and settle of one connector on PostgreSQL until the transaction ends.

    Without it an accept could see a line's lead still leased and wait behind it while settle finds nobody to promote.
    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :id)"), {"space": 7321, "id": connector_id})


def lock_claims(session: Session, connector_id: int) -> None:
    """Let one claim of a connector at a time count its leases on PostgreSQL; it waits for no accept and no settle."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :id)"), {"space": 7323, "id": connector_id})
