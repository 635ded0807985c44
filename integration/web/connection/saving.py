"""Saves what was typed into a form of the connection, whichever page it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from integration.field_errors import titles
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors as pairs
from integration.settings.connection import Connection
from integration.web.connection import form as connection_form
from integration.web.frame.access import me, record
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services


def make(**values: str) -> int:
    """Make a connector of the user's organisation with its audit entry; raises SettingError."""

    def audit(session: Session, made: Connector) -> None:
        record(session, AuditAction.CREATED, f"connector {made.name}", {"name": ["", made.name]}, made)

    given: dict[str, Any] = values
    return pairs.create(services(), organisation_id=me().organisation_id, audit=audit, **given)


def checked(connector: Connector, values: dict[str, str]) -> dict[str, str]:
    """Return typed values; raises SettingError for what cannot be used."""
    connection_form.check(values, connector, services().readable_secrets(connector), services().clock.now())
    return values


def save(connector: Connector, form: SettingForm, values: Mapping[str, str]) -> Diff:
    """Store checked values with their audit entry; raises SettingError, also when somebody was faster."""

    def audit(session: Session, diff: Diff) -> None:
        form.keep(diff, titles(Connection))
        record(session, AuditAction.UPDATED, f"connection of {connector.name}", diff, connector)

    return pairs.connect(services(), connector.id, audit=audit, **values)
