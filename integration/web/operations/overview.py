"""The first page: checklist, figures, the list of connectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector, ConnectorState
from integration.models.run import RunKind
from integration.models.user import Role
from integration.operations.monitoring import cost, health
from integration.pipeline import outbox, usage
from integration.pipeline.audited import Audit
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.connectors.credentials import both_known
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.queries import dead_letters, runs as querie_runs
from integration.web.connection import checklist, saving
from integration.web.frame import filters, live
from integration.web.frame.access import connector_view, me, needs, own_connectors, record
from integration.web.frame.services import services
from integration.web.operations import charts, run_start
from integration.web.operations.runs import KINDS, PHASES

bp = Blueprint("overview", __name__)


class ConnectorForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """The name of a new connector."""

    name = StringField("Name", description="For example the name of the shop.", render_kw={"maxlength": 120})


@dataclass(frozen=True, slots=True)
class Row:
    """A connector in the list."""

    connector: Connector
    health: str
    kind: str


@bp.get("/")
def index() -> ResponseReturnValue:
    """Go to the only connector, or to the list; who may make the first one is led to the set-up."""
    with services().db.read() as session:
        found = own_connectors(session)
    if not found and me().may(Role.ADMIN):
        return redirect(url_for("setup.new"))
    if len(found) == 1:
        return redirect(url_for("overview.show", connector_id=found[0].id))
    return redirect(url_for("overview.connectors"))


@bp.get("/connectors")
def connectors() -> str:
    """List the connectors of the organisation."""
    with services().db.read() as session:
        rows = _rows(session, own_connectors(session))
    return render_template("operations/overview/connectors.html", rows=rows)


@bp.get("/connectors/new")
@needs(Role.ADMIN)
def add() -> str:
    """Show the form for a new connector."""
    return render_template("operations/overview/add.html", form=ConnectorForm())


@bp.post("/connectors/new")
@needs(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Make a connector and go to its connection page."""
    form = ConnectorForm()
    try:
        number = saving.make(name=form.name.data or "")
    except SettingError as error:
        form.name.errors = [str(error)]
        return render_template("operations/overview/add.html", form=form), 400
    flash("The connector is made. Now connect the store and Mautic.", "ok")
    return redirect(url_for("connection.index", connector_id=number))


@bp.get("/connectors/<int:connector_id>/")
@connector_view
def show(connector: Connector) -> str:
    """Show one connector: the checklist until it is done, then how it fares; a part of it asks for itself."""
    now = services().clock.now()
    with services().db.read() as session:
        values = _state(session, now, connector)
        zone = filters.zone_of(connector)
        span, notices = charts.Span.parse(request.args, now.astimezone(zone).date())
        if live.is_part():
            return render_template("operations/overview/_state.html", connector=connector, **values)
        hours = usage.by_hour(session, connector.id, *span.moments(zone))
        steps = checklist.steps(session, connector)
    chart = charts.drawn(charts.by_day(hours, span, zone))
    return render_template(
        "operations/overview/show.html",
        connector=connector,
        steps=steps,
        chart=chart,
        size=(charts.WIDTH, charts.HEIGHT),
        span=span,
        notices=notices,
        costs=cost.of(hours, connector, services().modules(connector)),
        **values,
    )


def _state(session: Session, now: datetime, connector: Connector) -> dict[str, Any]:
    latest = run_progress.latest(session, connector.id)
    facts = health.facts.of(session, now, connector.id)
    is_read = (facts.every or facts.cron) and connector.state == ConnectorState.ACTIVE
    return {
        "health": health.of(session, now, connector, connected=both_known(services(), connector), known=facts),
        "day": usage.since(session, connector.id, now - timedelta(hours=24)),
        "waiting": outbox.open_count(session, connector_id=connector.id),
        "dead": dead_letters.waiting_shown(session, connector.id),
        "progress": run_progress.progress(session, latest.id, now) if latest else None,
        "run_may_pause": latest is not None and run_lifecycle.may_pause(latest),
        "recent": querie_runs.of_last_day(session, connector.id, now),
        "last_read": facts.last_read,
        "next_read": facts.next_read if is_read else None,
        "may_run": me().may(Role.SUPPORT),
        "may_pause": me().may(Role.ADMIN) and connector.state != ConnectorState.READ_ONLY,
        "paused": connector.state == ConnectorState.PAUSED,
        "kinds": KINDS,
        "phases": PHASES,
    }


@bp.get("/connectors/<int:connector_id>/history")
@connector_view
def history(connector: Connector) -> str:
    """Show the newest runs of a connector in its own tab."""
    with services().db.read() as session:
        found, _ = querie_runs.read_list(session, querie_runs.RunQuery(connector_id=connector.id))
        waiting = querie_runs.waiting_of(session, found)
    return render_template(
        "operations/overview/history.html", connector=connector, runs=found, waiting=waiting, kinds=KINDS
    )


@bp.post("/connectors/<int:connector_id>/run")
@needs(Role.SUPPORT)
@connector_view
def run(connector: Connector) -> ResponseReturnValue:
    """Start a full sync, the initial import or an incremental run."""
    kind = request.form.get("kind", "")
    if kind not in (RunKind.FULL, RunKind.INITIAL, RunKind.INCREMENTAL):
        abort(404)
    if run_start.begin(connector, kind, diff={"kind": [None, kind]}) is not None:
        flash(f"{KINDS[kind]}: started.", "ok")
    return redirect(url_for("overview.show", connector_id=connector.id))


@bp.get("/connectors/<int:connector_id>/pause")
@needs(Role.ADMIN)
@connector_view
def pause(connector: Connector) -> str:
    """Ask before the connector is paused, and say what that does."""
    return render_template("operations/overview/pause.html", connector=connector)


@bp.post("/connectors/<int:connector_id>/pause")
@needs(Role.ADMIN)
@connector_view
def pause_post(connector: Connector) -> ResponseReturnValue:
    """Pause the connector."""
    if pairs.pause(services(), connector.id, audit=_switched(AuditAction.PAUSED)):
        flash("The connector is paused. What arrives waits and is sent when it is resumed.", "ok")
    else:
        flash("The connector is paused already.", "warn")
    return redirect(url_for("overview.show", connector_id=connector.id))


@bp.post("/connectors/<int:connector_id>/resume")
@needs(Role.ADMIN)
@connector_view
def resume(connector: Connector) -> ResponseReturnValue:
    """Look after the connector again."""
    if pairs.resume(services(), connector.id, audit=_switched(AuditAction.RESUMED)):
        flash("The connector is resumed; what waits is sent now.", "ok")
    else:
        flash("The connector is not paused.", "warn")
    return redirect(url_for("overview.show", connector_id=connector.id))


def _switched(action: AuditAction) -> Audit[Connector]:
    return lambda session, connector: record(session, action, f"connector {connector.name}", {}, connector)


def _rows(session: Session, connectors: Sequence[Connector]) -> list[Row]:
    now = services().clock.now()
    facts = health.facts.many(session, now, [each.id for each in connectors])
    found = [
        (each, health.of(session, now, each, connected=both_known(services(), each), known=facts[each.id]))
        for each in connectors
    ]
    return [Row(each, how.label, how.kind) for each, how in found]
