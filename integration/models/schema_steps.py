"""What Alembic does for `migrate`, apart: it takes 8 MB, which who finds the newest schema does not load."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script
from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"


def up(connection: Connection) -> None:
    """Apply the migrations that are missing."""
    command.upgrade(_config(connection), "head")


def down(connection: Connection, target: str) -> None:
    """Take migrations back until a revision."""
    command.downgrade(_config(connection), target)


def draft(connection: Connection, message: str, number: str) -> Path:
    """Write a revision with what the models have and the database has not; return its file."""
    made = command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    if not isinstance(made, Script):
        raise RuntimeError("Alembic made more than one revision.")
    return Path(made.path)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return config
