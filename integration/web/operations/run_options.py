"""Run with options (C6): filters, page size, dry run, unchanged too, payload files."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import store_profile
from integration.pipeline.runs import options as run_options
from integration.queries import runs as querie_runs
from integration.web.frame import filters
from integration.web.frame.access import connector_view, needs
from integration.web.operations import run_start

bp = Blueprint("run_options", __name__, url_prefix="/connectors/<int:connector_id>/runs/new")


@bp.get("")
@needs(Role.SUPPORT)
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the form; what stands in the address is filled in."""
    return _form(connector, {})


@bp.post("")
@needs(Role.SUPPORT)
@connector_view
def start(connector: Connector) -> ResponseReturnValue:
    """Start the run, or show the form again with an error at each field that has one."""
    lists = {name: request.form.getlist(name) for name in ("only", "statuses")}
    zone = filters.zone_of(connector).key
    typed = run_options.read(request.form, lists, zone, list(store_profile.statuses(connector)))
    if typed.errors:
        return _form(connector, typed.errors)
    diff = {"kind": [None, typed.kind], "options": [None, typed.options]}
    run_id = run_start.begin(connector, typed.kind, options=typed.options, diff=diff)
    if run_id is None:
        return _form(connector, {})
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


def _form(connector: Connector, errors: dict[str, str]) -> ResponseReturnValue:
    body = render_template(
        "operations/runs/new.html",
        connector=connector,
        typed=request.values,
        first=request.method == "GET" and not request.args,
        errors=errors,
        kinds={kind.value: querie_runs.KINDS[kind] for kind in run_options.KINDS},
        statuses=store_profile.statuses(connector),
    )
    return (body, 400) if errors else body
