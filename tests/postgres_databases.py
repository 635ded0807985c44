"""Databases of a test's PostgreSQL server: made, dropped, and copied from patterns that have their tables already."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cache

from sqlalchemy import URL, Engine, create_engine, make_url, text

Making = Callable[[str], None]
_OWN_TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
#: From this version on a database is copied row by row through the log, unless its files are asked for, which is half
#: the work.
LOGGED_COPIES_FROM = (15,)
_patterns: dict[tuple[URL, Making], str] = {}


def create(url: URL, pattern: str = "template1") -> None:
    """Make a database as a copy of another one, to which nobody may be connected."""
    with _server(url.set(database="postgres")).connect() as connection:
        version = connection.dialect.server_version_info or ()
        files = "STRATEGY FILE_COPY" if version >= LOGGED_COPIES_FROM else ""
        connection.execute(text(f'CREATE DATABASE "{url.database}" TEMPLATE "{pattern}" {files}'))


def drop(url: URL) -> None:
    """Remove a database, whoever is connected to it."""
    with _server(url.set(database="postgres")).connect() as connection:
        connection.execute(text(f'DROP DATABASE "{url.database}" WITH (FORCE)'))


def is_empty(url: URL) -> bool:
    """Return whether a database has no table of its own."""
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = connection.scalar(_OWN_TABLES)
    engine.dispose()
    return not tables


def fill(url: URL, make: Making) -> None:
    """Put a copy of what `make` makes in the place of an empty database, to which nobody may be connected any more."""
    pattern = _pattern(url.set(database="postgres"), make)
    drop(url)
    create(url, pattern)


def forget(server: str) -> None:
    """Drop the patterns of a server: it may be one that stays."""
    own = make_url(server).set(database="postgres")
    for key in [key for key in _patterns if key[0] == own]:
        drop(own.set(database=_patterns.pop(key)))
    _server(own).dispose()


def _pattern(server: URL, make: Making) -> str:
    """Return the name of a database with nothing in it but what was made, made once for each server."""
    if (server, make) not in _patterns:
        name = f"pattern_{uuid.uuid4().hex[:12]}"
        create(server.set(database=name))
        make(server.set(database=name).render_as_string(hide_password=False))
        _patterns[server, make] = name
    return _patterns[server, make]


@cache
def _server(url: URL) -> Engine:
    return create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True)
