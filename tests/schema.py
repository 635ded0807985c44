"""Tables of a test database: on SQLite made once in a process and copied.

Making them was a fifth of a page's test, and running all migrations half of a whole sync's.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import make_url

from integration.models import Base
from integration.models.database import Database, open_database
from integration.models.migrate import upgrade


def make_tables(database: Database) -> None:
    """Give an empty database all tables, as the models have them; on SQLite its file must not be there yet."""
    file = database.engine.url.database
    if not database.sqlite or file is None or Path(file).exists():
        Base.metadata.create_all(database.engine)
        return
    Path(file).write_bytes(_of_models())


def make_newest(url: str) -> None:
    """Bring an empty or older database to the newest schema, as a start of the application does."""
    file = make_url(url).database
    if not url.startswith("sqlite") or file is None or Path(file).exists():
        upgrade(url)
        return
    Path(file).write_bytes(_of_migrations())


def _models_tables(url: str) -> None:
    database = open_database(url)
    Base.metadata.create_all(database.engine)
    database.dispose()


@cache
def _of_models() -> bytes:
    return _file_made_by(_models_tables)


@cache
def _of_migrations() -> bytes:
    return _file_made_by(upgrade)


def _file_made_by(make: Callable[[str], None]) -> bytes:
    """Return the file of a SQLite database with nothing in it but what was made."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite"
        make(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.read_bytes()
