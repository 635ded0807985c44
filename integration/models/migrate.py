"""Brings a database to the newest schema, from the command line and at start."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models import opening
from integration.models.database import Database, open_database
from integration.models.migrations import LOCK_TIMEOUT

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
#: So long a start waits for the process that holds a SQLite database, or brings it to the newest schema.
LOCK_WAIT_S = 10.0
#: So often a migration asks PostgreSQL for a table that others hold, and rests so long between.
LOCK_TRIES, LOCK_PAUSE_S = 60, 0.5
_LOCK_NOT_AVAILABLE = "55P03"
_NUMBER = text("SELECT version_num FROM alembic_version")


def upgrade(url: str) -> None:
    """Apply the migrations that are missing; two processes that start at once wait for each other.

    Raises SettingError (DATABASE_URL) for a database that cannot be opened, is locked, or is newer than this program.
    """
    with at(url) as database:
        _apply(database)
        _owners_alone(database)


def downgrade(url: str, target: str) -> None:
    """Take the database back to an older schema, for an older version of this program.

    Nobody may work with it. Raises SettingError: (to) for what is no older schema of it, and as `upgrade` does.
    """
    with at(url) as database:
        _take_back(database, target)


def _take_back(database: Database, target: str) -> None:
    with database.engine.connect() as connection:
        _wait_for_turn(database, connection)
        now = revision(connection)
        older = _before(now)
        if target not in older:
            known = f"It has {now}; older ones are {older[-1]} to {older[0]}." if older else "There is no older one."
            raise SettingError("to", f"{target} is no older schema of this database.", known)
        if not database.sqlite:
            # Alembic must begin the transaction itself where indexes leave it; the turn is the session's.
            connection.rollback()
        _steps().down(connection, target)
        connection.commit()


def _before(number: str | None) -> list[str]:
    """Return the revisions that lead to one, the newest first, without itself."""
    if number is None or not knows(number):
        return []
    return [each for each in reversed(_revisions()) if each < number]


@contextmanager
def at(url: str) -> Iterator[Database]:
    """Give a database as it is, until it is done with; raises SettingError (DATABASE_URL) as `opening.said` does."""
    with opening.said():
        database = _opened(url)
        try:
            yield database
        finally:
            database.dispose()


def _opened(url: str) -> Database:
    try:
        return open_database(url)
    except ValueError as error:
        raise opening.unusable() from error


def _apply(database: Database) -> None:
    # Whoever only reads waits for nobody: a process can start while another one holds the lock.
    with database.engine.connect() as connection:
        now = revision(connection)
        if now == _head():
            return
        if now is not None and not knows(now):
            raise opening.NEWER
        if now is None and inspect(connection).has_table("connector"):
            raise opening.BROKEN_OFF
    with database.engine.connect() as connection:
        _wait_for_turn(database, connection)
        _giving_way(connection, lambda: _steps().up(connection))
        connection.commit()


def _giving_way(connection: Connection, act: Callable[[], None]) -> None:
    """Act until it gets the tables it needs; others go on between the tries, each of which asks for a second only."""
    for left in reversed(range(LOCK_TRIES)):
        try:
            act()
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE or not left:
                raise
        connection.rollback()
        time.sleep(LOCK_PAUSE_S)


def number_of(url: str) -> str | None:
    """Return the revision of a database's schema, None for an empty database; raises SettingError as `upgrade` does."""
    with at(url) as database, database.engine.connect() as connection:
        return revision(connection)


def revision(connection: Connection) -> str | None:
    """Return the revision of a database's schema, None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    number: str | None = connection.scalar(_NUMBER)
    return number


def knows(number: str) -> bool:
    """Tell whether a revision is one of this program's."""
    return number in _revisions()


def _revisions() -> list[str]:
    """Return the numbers of all migrations, the oldest first: their files begin with them."""
    return sorted(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py"))


def _head() -> str:
    return _revisions()[-1]


def _steps() -> ModuleType:
    # Here, for who finds the newest schema would carry Alembic.
    from integration.models import schema_steps

    return schema_steps


def draft(message: str) -> Path:
    """Write a new revision with what the models have and the newest schema has not; return its file.

    It is compared with an empty database at the newest revision. Raises SettingError without a message.
    """
    if not message.strip():
        raise SettingError("m", "It was not said what changes.", 'Write: make migration m="add a column".')
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.sqlite"
        upgrade(url)
        number = f"{int(_head()) + 1:04d}"
        database = open_database(url)
        with database.engine.connect() as connection:
            made: Path = _steps().draft(connection, message, number)
        database.dispose()
    return made


def _owners_alone(database: Database) -> None:
    """Take other users' rights from the files of SQLite: the first version left them readable by all."""
    name = database.engine.url.database
    for end in ("", "-wal", "-shm") if database.sqlite and name else ():
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(f"{name}{end}").chmod(0o600)


def is_newest(session: Session) -> bool:
    """Return whether the database has all migrations of this program."""
    return bool(session.scalar(_NUMBER) == _head())


def _wait_for_turn(database: Database, connection: Connection) -> None:
    if database.sqlite:
        connection.execution_options(write=LOCK_WAIT_S)
        connection.begin()
        return
    # It is asked again and again: an index that is built beside others waits for each statement that is under way, so
    # also for one that waits for this very lock. It is the session's, since such an index ends the transaction.
    while not connection.scalar(text("SELECT pg_try_advisory_lock(7320)")):
        connection.rollback()
        time.sleep(LOCK_PAUSE_S)
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()


if __name__ == "__main__":
    try:
        print(draft(" ".join(sys.argv[1:])))
    except SettingError as error:
        sys.exit(str(error))
