"""What a backup notes of a database, whatever version of the schema it has: so in SQL, without the models."""

from __future__ import annotations

from sqlalchemy import Connection, func, inspect, select, table
from sqlalchemy.orm import Session

from integration.models.vault import Vault
from integration.pipeline import installation


def rows(connection: Connection) -> dict[str, int]:
    """Return table -> number of its rows, of all tables that there are."""
    names = sorted(inspect(connection).get_table_names())
    return {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}


def address(connection: Connection) -> str:
    """Return where the installation was last served, "" where it never was."""
    with Session(connection) as session:
        return installation.kept_address(session)


def key_is_lost(connection: Connection, vault: Vault) -> bool:
    """Tell whether something is stored that was sealed with another key."""
    with Session(connection) as session:
        return installation.key_is_lost(session, vault)
