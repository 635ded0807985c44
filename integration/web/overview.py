"""The first page: checklist, figures, the list of connectors."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline import connectors as pairs
from integration.pipeline import holds
from integration.pipeline import logpages
from integration.pipeline import outbox
from integration.pipeline import runs
from integration.pipeline.logquery import LogQuery
from integration.web import checklist
from integration.web.access import connector_or_404
from integration.web.access import me
from integration.web.access import needs
from integration.web.access import own_connectors
from integration.web.access import record
from integration.web.wiring import ports

bp = Blueprint("overview", __name__)
_NEWEST = 5


class ConnectorForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """The name of a new connector."""

    name = StringField("Name", description="For example the name of the shop.", render_kw={"maxlength": 120})


@dataclass(frozen=True, slots=True)
class Row:
    """A connector in the list."""

    connector: Connector
    verdict: str
    kind: str


@bp.get("/")
def index() -> ResponseReturnValue:
    """Go to the only connector, or to the list."""
    with ports().db.read() as session:
        found = own_connectors(session)
    if len(found) == 1:
        return redirect(url_for("overview.show", connector_id=found[0].id))
    return redirect(url_for("overview.connectors"))


@bp.get("/connectors")
def connectors() -> str:
    """List the connectors of the organisation."""
    with ports().db.read() as session:
        rows = [_row(session, each) for each in own_connectors(session)]
    return render_template("overview/connectors.html", rows=rows)


@bp.get("/connectors/new")
@needs(Role.ADMIN)
def add() -> str:
    """Show the form for a new connector."""
    return render_template("overview/add.html", form=ConnectorForm())


@bp.post("/connectors/new")
@needs(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Make a connector and go to its connection page."""
    form = ConnectorForm()
    try:
        number = pairs.create(ports(), organisation_id=me().organisation_id, name=form.name.data or "")
    except SettingError as error:
        form.name.errors = [str(error)]
        return render_template("overview/add.html", form=form), 400
    with ports().db.write() as session:
        connector = session.get_one(Connector, number)
        record(session, AuditAction.CREATED, f"connector {connector.name}", {"name": ["", connector.name]}, connector)
    flash("The connector is made. Now connect the store and Mautic.", "ok")
    return redirect(url_for("connection.index", connector_id=number))


@bp.get("/connectors/<int:connector_id>/")
def show(connector_id: int) -> str:
    """Show one connector: the checklist until it is done, then how it fares."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        steps = checklist.steps(session, connector)
        query = LogQuery(connector_id, size=10)
        values = {
            "waiting": outbox.open_count(session, connector_id=connector_id),
            "total": logpages.total(session, connector_id),
            "entries": logpages.read_page(session, query).entries[:_NEWEST],
            "run": runs.latest(session, connector_id),
            "row": _row(session, connector),
        }
    return render_template("overview/show.html", connector=connector, steps=steps, **values)


def _row(session: Session, connector: Connector) -> Row:
    secrets = ports().secrets(connector)
    ready = checklist.store_connected(connector, secrets) and checklist.mautic_connected(connector, secrets)
    if not ready:
        return Row(connector, "Not set up", "muted")
    if holds.open_holds(session, connector.id):
        return Row(connector, "Held", "bad")
    if connector.state == "paused":
        return Row(connector, "Paused", "warn")
    return Row(connector, "Working", "ok")
