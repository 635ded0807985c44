"""The certificates of a connector's own authorities are kept with it, not the paths of files; so is who works for it

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

log = logging.getLogger("integration.models.migrations")

SIDES = ("store_ca", "mautic_ca")
MAX_BYTES = 1_000_000


def upgrade() -> None:
    """Read each file once; the path of one that cannot be read stays, so that the Connection tab can say it."""
    for side in SIDES:
        op.alter_column("connector", side, new_column_name=f"{side}_path")
        op.add_column("connector", sa.Column(side, sa.Text(), server_default="", nullable=False))
    connector = _table(*SIDES, *(f"{side}_path" for side in SIDES))
    connection = op.get_bind()
    for row in connection.execute(sa.select(connector)).mappings().all():
        paths = {side: row[f"{side}_path"] for side in SIDES if row[f"{side}_path"]}
        if paths:
            kept = {side: _content(path) or path for side, path in paths.items()}
            connection.execute(connector.update().where(connector.c.id == row["id"]).values(kept))
    for side in SIDES:
        op.drop_column("connector", f"{side}_path")
    op.add_column("connector", sa.Column("worked_by", sa.String(32), server_default="", nullable=False))


def downgrade() -> None:
    """Make the columns as short as paths are; an older version needs the paths typed again."""
    op.drop_column("connector", "worked_by")
    for side in SIDES:
        op.drop_column("connector", side)
        op.add_column("connector", sa.Column(side, sa.String(500), server_default="", nullable=False))


def _table(*columns: str) -> sa.TableClause:
    return sa.table("connector", sa.column("id", sa.BigInteger), *(sa.column(name, sa.Text) for name in columns))


def _content(path: str) -> str:
    """Return the certificates of a file, and nothing else that stands in it; "" where it has none."""
    try:
        with Path(path).open("rb") as file:
            found = x509.load_pem_x509_certificates(file.read(MAX_BYTES))
        return "\n".join(each.public_bytes(Encoding.PEM).decode("ascii").strip() for each in found)
    except (OSError, ValueError) as error:
        reason = type(error).__name__
        log.warning("The certificate authority %s could not be read (%s); paste it on the Connection tab.", path, reason)
        return ""
