"""Uninstalling a connector (P103): an export is offered, the store is cleared of what is ours, our data goes."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.retention import deletion, uninstall as leaving
from integration.operations.retention.uninstall import Uninstalled
from integration.web.frame.access import connector_view, needs, record
from integration.web.frame.services import services
from integration.web.tools import takeaway

bp = Blueprint("uninstall", __name__, url_prefix="/connectors/<int:connector_id>/uninstall")


@bp.get("")
@needs(Role.ADMIN)
@connector_view
def ask(connector: Connector) -> str:
    """Say what leaves the store, offer the export, and ask for the name."""
    return _page(connector)


@bp.get("/export.zip")
@needs(Role.ADMIN)
@connector_view
def export(connector: Connector) -> ResponseReturnValue:
    """Stream what the connector holds."""
    headers = {"Content-Disposition": f'attachment; filename="connector-{connector.id}.zip"'}
    return Response(takeaway.zipped(services(), connector), mimetype="application/zip", headers=headers)


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def uninstall(connector: Connector) -> ResponseReturnValue:
    """Uninstall the connector whose name was typed, and list what was done and what could not be."""

    def audit(session: Session, done: Uninstalled) -> None:
        record(session, AuditAction.UNINSTALLED, f"connector {done.name}", done.diff, connector)

    try:
        deletion.confirmed(connector, request.form.get("name", ""))
        anyway = request.form.get("anyway") == "1"
        done = leaving.uninstall(services(), connector.id, anyway=anyway, audit=audit)
    except SettingError as error:
        return _page(connector, str(error)), 400
    except IntegrationError as error:
        flash(str(error), "bad")
        return redirect(url_for("uninstall.ask", connector_id=connector.id))
    if done.deleted is None:
        return _page(connector, done=done), 409
    return render_template("connection/uninstalled.html", done=done)


def _page(connector: Connector, error: str = "", done: Uninstalled | None = None) -> str:
    return render_template("connection/uninstall.html", connector=connector, error=error, done=done)
