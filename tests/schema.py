"""Tables of a test database: made once in a process and copied.

Making them was a fifth of a page's test, and running all migrations half of a whole sync's; on PostgreSQL they took
half a second and a whole one.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import URL, make_url

from integration.models import Base
from integration.models.database import Database, open_database
from integration.models.migrate import upgrade
from tests import postgres_databases
from tests.postgres_databases import Making


def make_tables(database: Database) -> None:
    """Give an empty database all tables, as the models have them; one that has some gets the others."""
    url = database.engine.url
    if not _is_empty(url):
        Base.metadata.create_all(database.engine)
        return
    database.dispose()
    _fill(url, _models_tables)


def make_newest(url: str) -> None:
    """Bring an empty or older database to the newest schema, as a start of the application does."""
    if not _is_empty(make_url(url)):
        upgrade(url)
        return
    _fill(make_url(url), upgrade)


def _models_tables(url: str) -> None:
    database = open_database(url)
    Base.metadata.create_all(database.engine)
    database.dispose()


def _is_empty(url: URL) -> bool:
    """Return whether a database has nothing in it: the file of a SQLite database must not be there yet."""
    if url.get_backend_name() == "sqlite":
        return url.database is not None and not Path(url.database).exists()
    return postgres_databases.is_empty(url)


def _fill(url: URL, make: Making) -> None:
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).write_bytes(_file_made_by(make))
    else:
        postgres_databases.fill(url, make)


@cache
def _file_made_by(make: Making) -> bytes:
    """Return the file of a SQLite database with nothing in it but what was made."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite"
        make(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.read_bytes()
