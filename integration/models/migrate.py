"""Brings a database to the newest schema, from the command line and at start."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.orm import Session

from integration.models.database import Database, open_database

FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Apply the migrations that are missing; two processes that start at once wait for each other."""
    database = open_database(url)
    try:
        with database.engine.connect() as connection:
            _wait_for_turn(database, connection)
            config = Config()
            config.set_main_option("script_location", str(FOLDER))
            config.attributes["connection"] = connection
            logging.getLogger("alembic").setLevel(logging.WARNING)
            command.upgrade(config, "head")
            connection.commit()
            _owners_alone(database)
    finally:
        database.dispose()


def _owners_alone(database: Database) -> None:
    """Take other users' rights from the files of SQLite: the first version left them readable by all."""
    name = database.engine.url.database
    for end in ("", "-wal", "-shm") if database.sqlite and name else ():
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(f"{name}{end}").chmod(0o600)


def is_newest(session: Session) -> bool:
    """Return whether the database has all migrations of this program."""
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    return bool(session.scalar(text("SELECT version_num FROM alembic_version")) == head)


def _wait_for_turn(database: Database, connection: object) -> None:
    if not database.sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(7320)"))  # type: ignore[attr-defined]  # a Connection
    else:
        connection.execution_options(write=True)  # type: ignore[attr-defined]  # a Connection
        connection.begin()  # type: ignore[attr-defined]  # a Connection
