"""Engines and transactions: short writes, one writer at a time on SQLite."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

#: So long a write waits for other writers, of this process and of others, before it fails with OperationalError.
WRITE_WAIT_S = 30.0
#: So long nothing is written between the parts of what is written by parts.
PART_PAUSE_S = 0.1
_wait_s: ContextVar[float] = ContextVar("wait_s", default=WRITE_WAIT_S)
#: For what is left of that the write that begins now may wait, None for what only reads.
_left_s: ContextVar[float | None] = ContextVar("left_s", default=None)
#: Connections of one process to PostgreSQL at most, unless the deployment says another number; a thread that needs one
#: more waits for it.
CONNECTIONS_MAX = 20
#: What each connection to SQLite keeps of the file. Threads hold one each: with 16 MB eight of them kept 109 MB of a
#: large book, with these 37 MB, for no more CPU and no more written (with 2 MB a quarter more was).
CACHE_KIB = 4000
#: Where a session notes which transaction has locked which connector.
_LOCKED = "locked"
#: A server that does not answer at all is given up after so long.
CONNECT_TIMEOUT_S = 10
#: How a session looks on PostgreSQL, and after how many times a statement of one that writes is prepared there.
LOOKING, PREPARED_AFTER = "AUTOCOMMIT", 5
#: How a session looks there that is to see all as it was at first.
STEADY = "REPEATABLE READ"
#: A connection is asked whether it is alive, before it is used, at most so often.
PINGED_EVERY_S = 1.0


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Let the writes of this thread wait so long only: a page's for seconds, a mere note's for none."""
    token = _wait_s.set(seconds)
    try:
        yield
    finally:
        _wait_s.reset(token)


def wait_limit_s() -> float:
    """Return how long a write of this thread may wait for others."""
    return _wait_s.get()


def locked() -> OperationalError:
    """Return the error of who has waited for other writers long enough."""
    return OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


class _ReadSession(Session):
    """A session of which nothing is written: on PostgreSQL that would be committed at once."""

    def flush(self, objects: Any = None) -> None:
        """Raise RuntimeError where something was made or changed."""
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("a session that only looks was given something to write")


class Database:
    """Hands out sessions on one engine: `read` for looking, `write` for a short transaction that commits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        # A look is no transaction there: its beginning and its end would be two more ways to the server.
        self._looking = engine if self.sqlite else engine.execution_options(isolation_level=LOOKING)
        # Threads of one process queue here: SQLite's own waiting sleeps up to 100 ms at a time.
        self._turn = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that only looks, and refuses what was made or changed in it.

        On SQLite it sees all as it was at its first question; on PostgreSQL each question sees what was committed then.
        """
        with _ReadSession(self._looking, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def read_steadily(self) -> Iterator[Session]:
        """Give a session as `read` does, which sees all as it was at its first question on both databases.

        For what is fetched piece by piece, which PostgreSQL does in a transaction only.
        """
        looking = self.engine if self.sqlite else self.engine.execution_options(isolation_level=STEADY)
        with _ReadSession(looking, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session in a write transaction, committed at the end, rolled back on an exception.

        On SQLite the writer's lock is taken at the start: a transaction that reads first and writes later would fail
        with "database is locked" when another one commits in between. Waiting for other threads and for other
        processes has one limit (see `waiting`); beyond it OperationalError is raised.
        """
        end = time.monotonic() + _wait_s.get()
        with self._turn_until(end), Session(self.engine, expire_on_commit=False) as session:
            _begin_writing(session, max(end - time.monotonic(), 0.0))
            yield session
            session.commit()

    def write_by_parts(self, act: Callable[[Session], bool]) -> None:
        """Do something in a write transaction, again until `act` returns that nothing is left.

        Whoever else waits to write has time for it between two of them: SQLite looks every 100 ms whether it may.
        """
        is_more = True
        while is_more:
            with self.write() as session:
                is_more = act(session)
            if is_more and self.sqlite:
                time.sleep(PART_PAUSE_S)

    @contextmanager
    def _turn_until(self, end: float) -> Iterator[None]:
        if not self.sqlite:
            yield
            return
        if not self._turn.acquire(timeout=max(end - time.monotonic(), 0.0)):
            raise locked()
        try:
            yield
        finally:
            self._turn.release()

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str, connections: int = CONNECTIONS_MAX) -> Database:
    """Return a database for a SQLAlchemy URL, which opens no more than so many connections on PostgreSQL."""
    return Database(prepare(create_engine(url, **engine_options(url, connections))))


def engine_options(url: str, connections: int = CONNECTIONS_MAX) -> dict[str, Any]:
    """Return create_engine's options for a URL."""
    # Errors are logged, and the values of a statement are people's.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.startswith("sqlite"):
        sqlite = {"timeout": 30, "check_same_thread": False}
        # The one used last is used next, and those beyond the pool are closed: each holds its part of the file.
        return {**options, "connect_args": sqlite, "pool_size": 6, "max_overflow": 54, "pool_use_lifo": True}
    postgres = {"connect_timeout": CONNECT_TIMEOUT_S}
    return {**options, "connect_args": postgres, "pool_size": connections, "max_overflow": 0, "pool_pre_ping": True}


class _HintingCompiler(SQLiteCompiler):
    """SQLite's SQL with the hints of `sql.by_index`, which SQLAlchemy leaves out there."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def prepare(engine: Engine) -> Engine:
    """Set the engine up once: on SQLite WAL, busy time-out, foreign keys and explicit BEGIN."""
    if engine.dialect.name == "sqlite":
        engine.dialect.statement_compiler = _HintingCompiler
        # Not an event of the engine: one that has any asks at every statement whether it is listened to.
        engine.dialect.do_begin = _begin  # type: ignore[method-assign]
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _on_connect):
        event.listen(engine, "connect", _on_connect)
    if engine.dialect.name == "postgresql" and not event.contains(engine, "begin", _on_begin_elsewhere):
        event.listen(engine, "begin", _on_begin_elsewhere)
        engine.dialect.do_ping = _at_times(engine.dialect.do_ping)  # type: ignore[method-assign, assignment]
    return engine


def _at_times(ping: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a ping that takes a connection as alive that was asked a moment ago: a page uses several after another."""
    asked: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def alive(connection: Any) -> bool:
        now = time.monotonic()
        if now - asked.get(connection, -math.inf) < PINGED_EVERY_S:
            return True
        asked[connection] = now
        return ping(connection)

    return alive


def _on_connect(connection: Any, record: Any) -> None:
    # pysqlite would begin transactions by itself, and too late; with None it leaves that to _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.close()


def _begin_writing(session: Session, wait_s: float) -> None:
    token = _left_s.set(wait_s)
    try:
        session.connection()
    finally:
        _left_s.reset(token)


def _begin(dbapi_connection: PoolProxiedConnection) -> None:
    cursor, wait_s = dbapi_connection.cursor(), _left_s.get()
    if wait_s is None:
        cursor.execute("BEGIN")
    else:
        cursor.execute(f"PRAGMA busy_timeout={int(wait_s * 1000)}")
        cursor.execute("BEGIN IMMEDIATE")
    cursor.close()


def _on_begin_elsewhere(connection: Connection) -> None:
    """Say how PostgreSQL plans, and limit the wait for locks where it is shorter than usual.

    Workers there wait as long as it takes. A statement that a connection has prepared gets a plan for any values in the
    end: what writes is planned three times as cheaply by that, but the dates of a list would be taken for narrow ones.
    """
    looks = connection.get_execution_options().get("isolation_level") == LOOKING
    driver: Any = connection.connection.dbapi_connection
    driver.prepare_threshold = None if looks else PREPARED_AFTER
    wait_s = _left_s.get()
    if wait_s is not None and _wait_s.get() < WRITE_WAIT_S:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(int(wait_s * 1000), 1)}")


def lock_connector(session: Session, connector_id: int) -> None:
    """Serialise accept and settle of one connector on PostgreSQL until the transaction ends.

    Without it an accept could see a line's lead still leased and wait behind it while settle finds nobody to promote.
    SQLite has one writer anyway. Who has the lock in this transaction already is not asked again.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    if session.info.get(_LOCKED) != (session.get_transaction(), connector_id):
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :id)"), {"space": 7321, "id": connector_id})
        session.info[_LOCKED] = (session.get_transaction(), connector_id)


def lock_claims(session: Session, connector_id: int) -> None:
    """Let one claim of a connector at a time count its leases on PostgreSQL; it waits for no accept and no settle."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :id)"), {"space": 7323, "id": connector_id})
