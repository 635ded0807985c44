"""Deleting a connector: said what goes, exported first, confirmed by its name."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.retention import deletion
from integration.operations.retention.deletion import Deleted
from integration.web.frame.access import connector_view, needs, record
from integration.web.frame.services import services

bp = Blueprint("connector_deletion", __name__, url_prefix="/connectors/<int:connector_id>/delete")


@bp.get("")
@needs(Role.ADMIN)
@connector_view
def ask(connector: Connector) -> str:
    """Say what goes, offer the settings to take away, and ask for the name."""
    return _page(connector)


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def delete(connector: Connector) -> ResponseReturnValue:
    """Delete the connector whose name was typed."""

    def audit(session: Session, done: Deleted) -> None:
        record(session, AuditAction.DELETED, f"connector {done.name}", done.diff, connector)

    try:
        deletion.confirmed(connector, request.form.get("name", ""))
        done = deletion.delete(services(), connector.id, audit=audit)
    except SettingError as error:
        return _page(connector, str(error)), 400
    except IntegrationError as error:
        flash(str(error), "bad")
        return redirect(url_for("connector_deletion.ask", connector_id=connector.id))
    flash(f"The connector “{done.name}” is deleted with all its rows.", "ok")
    if done.webhooks_left:
        flash(f"Its webhooks could not be removed from the store; remove them there. {done.webhooks_left}", "warn")
    return redirect(url_for("overview.connectors"))


def _page(connector: Connector, error: str = "") -> str:
    return render_template("connection/delete.html", connector=connector, error=error)
