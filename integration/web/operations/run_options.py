"""Run with options (C6): filters, page size, dry run, unchanged too, payload files."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.errors import SettingError
from integration.field_errors import gathered
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import store_profile
from integration.pipeline.runs import options as run_options
from integration.pipeline.runs.options import RunOptions
from integration.queries import runs as querie_runs
from integration.web.frame import filters
from integration.web.frame.access import connector_view, needs
from integration.web.frame.forms import SettingForm, form_of
from integration.web.operations import run_start

bp = Blueprint("run_options", __name__, url_prefix="/connectors/<int:connector_id>/runs/new")


_MOMENT = {"type": "datetime-local"}
_FORM = form_of(
    RunOptions,
    ticked=("only", "statuses"),
    inputs={"since": _MOMENT, "until": _MOMENT, "page_size": {"type": "number"}},
)


@bp.get("")
@needs(Role.SUPPORT)
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the form; what stands in the address is filled in."""
    named = _FORM(formdata=request.args) if request.args else _FORM(formdata=None, data={"only": run_options.ENTITIES})
    return _page(connector, named)


@bp.post("")
@needs(Role.SUPPORT)
@connector_view
def start(connector: Connector) -> ResponseReturnValue:
    """Start the run, or show the form again with an error at each field that has one."""
    form, zone = _FORM(), filters.zone_of(connector).key
    typed = run_options.read(form.typed(), zone, list(store_profile.statuses(connector)))
    if typed.errors:
        form.refuse(gathered(SettingError(name, sentence) for name, sentence in typed.errors.items()))
        return _page(connector, form)
    diff = {"kind": [None, typed.kind], "options": [None, typed.options]}
    run_id = run_start.begin(connector, typed.kind, options=typed.options, diff=diff)
    if run_id is None:
        return _page(connector, form)
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


def _page(connector: Connector, form: SettingForm) -> ResponseReturnValue:
    body = render_template(
        "operations/runs/new.html",
        connector=connector,
        form=form,
        kinds={kind.value: querie_runs.KINDS[kind] for kind in run_options.KINDS},
        entities={name: name.capitalize() for name in sorted(run_options.ENTITIES)},
        statuses={status: status for status in store_profile.statuses(connector)},
    )
    return (body, 400) if form.error else body
