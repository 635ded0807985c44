"""Whether somebody works with a database that is to be put back or taken to an older schema."""

from __future__ import annotations

import socket
from contextlib import closing, suppress

from integration.config import Deployment
from integration.errors import SettingError
from integration.models import opening
from integration.models.database import Database
from integration.operations.backup import postgres

STOP = "Stop woo-mautic and its workers first."
_CONNECT_TIMEOUT_S = 2.0


def check(deployment: Deployment, database: Database) -> None:
    """Raise SettingError where the pages are served (PORT) or, on PostgreSQL, others are connected (DATABASE_URL)."""
    if _is_served(deployment):
        raise SettingError("PORT", f"Something serves {deployment.place}.", STOP)
    if database.sqlite:
        return
    with database.engine.connect() as connection:
        if number := postgres.others(connection):
            raise SettingError(opening.NAME, f"The database is in use by others ({number} connections).", STOP)


def _is_served(deployment: Deployment) -> bool:
    """Tell whether something listens where the pages are served."""
    family = socket.AF_INET6 if ":" in deployment.host else socket.AF_INET
    with closing(socket.socket(family)) as probe, suppress(OSError):
        probe.settimeout(_CONNECT_TIMEOUT_S)
        probe.connect((deployment.host, deployment.port))
        return True
    return False
