"""Run with options (C6): filters, page size, dry run, unchanged too, payload files."""

from __future__ import annotations

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline import facts
from integration.pipeline import runoptions
from integration.pipeline import runpages
from integration.pipeline import runs
from integration.web import filters
from integration.web.access import connector_or_404
from integration.web.access import me
from integration.web.access import needs
from integration.web.access import record
from integration.web.wiring import ports

bp = Blueprint("run_options", __name__, url_prefix="/connectors/<int:connector_id>/runs/new")


@bp.get("")
@needs(Role.SUPPORT)
def index(connector_id: int) -> ResponseReturnValue:
    """Show the form; what stands in the address is filled in."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
    return _form(connector, {})


@bp.post("")
@needs(Role.SUPPORT)
def start(connector_id: int) -> ResponseReturnValue:
    """Start the run, or show the form again with an error at each field that has one."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
    lists = {name: request.form.getlist(name) for name in ("only", "statuses")}
    zone = filters.zone_of(connector).key
    typed = runoptions.read(request.form, lists, zone, list(facts.statuses(connector)))
    if typed.errors:
        return _form(connector, typed.errors)
    try:
        run_id = runs.start(ports(), connector_id, typed.kind, trigger=me().email, options=typed.options)
    except runs.RunGoing as going:
        flash(str(going), "warn")
        return _form(connector, {})
    with ports().db.write() as session:
        diff = {"kind": [None, typed.kind], "options": [None, typed.options]}
        record(session, AuditAction.SYNC_TRIGGERED, f"run {run_id}", diff, connector)
    return redirect(url_for("runs.show", connector_id=connector_id, run_id=run_id))


def _form(connector: Connector, errors: dict[str, str]) -> ResponseReturnValue:
    body = render_template(
        "runs/new.html",
        connector=connector,
        typed=request.values,
        first=request.method == "GET" and not request.args,
        errors=errors,
        kinds={kind.value: runpages.KINDS[kind] for kind in runoptions.KINDS},
        statuses=facts.statuses(connector),
    )
    return (body, 400) if errors else body
