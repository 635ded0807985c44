"""Steps between versions of the database, and rows as its first version has them."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from integration.models.schema_steps import FOLDER

OLD_ORGANISATION = "INSERT INTO organisation (id, name, created_at) VALUES (1, 'A', '2026-01-01 10:00:00')"
OLD_CONNECTOR = """
INSERT INTO connector (id, organisation_id, name, state, is_demo, store_url, store_rest_root, store_ca, store_facts,
    mautic_url, mautic_method, mautic_user, mautic_client_id, mautic_ca, mautic_facts, settings, cursors, fields,
    webhook_path, webhook_ids, log_cleared_id, created_at, updated_at)
VALUES (1, 1, 'Shop', 'active', :no, '', '', '', '{}', '', 'basic', '', '', '', '{}', '{}', '{}', '[]', 'path', '{}',
    0, '2026-01-01 10:00:00', '2026-01-01 10:00:00')
"""


def steer(connection: Connection, act: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    # A migration that builds an index beside others ends the transaction; it must be its own.
    connection.commit()
    getattr(command, act)(config, revision)
    connection.commit()
