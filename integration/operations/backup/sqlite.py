"""SQLite: copied by its own online backup, so that a copy is one moment however much is written meanwhile."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine

from integration.models.database import Database, engine_options


def copy(database: Database, to: Path) -> None:
    """Write the database as it is this moment to a new file of its owner's."""
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(to)) as target, database.engine.connect() as source:
        # In one step: in several it would begin again with each write of another process.
        source.connection.driver_connection.backup(target)  # type: ignore[union-attr]  # there is one
        # One file is all of it then, and reading it writes none beside it.
        target.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def opened(file: Path) -> Iterator[Connection]:
    """Give a connection to the file of a backup."""
    engine = create_engine(f"sqlite:///{file}", **engine_options("sqlite"))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def is_whole(file: Path) -> bool:
    """Tell whether SQLite finds its own structures in order."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def files(file: Path) -> list[Path]:
    """Return what there is of a database: its file, and those that SQLite keeps beside it while it is open."""
    return [each for end in ("", "-wal", "-shm", "-journal") if (each := file.with_name(file.name + end)).exists()]
