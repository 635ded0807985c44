"""The import area that Contact Sync and Order Sync share: start a run and follow it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import Run, RunKind
from integration.models.user import Role
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, progress as run_progress
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services
from integration.web.modules import fields
from integration.web.operations import run_start
from integration.web.operations.runs import KINDS, PHASES, cancelled

bp = Blueprint("imports", __name__, url_prefix="/connectors/<int:connector_id>/imports")
STARTABLE = {RunKind.INITIAL: "initial import", RunKind.FULL: "full sync", RunKind.INCREMENTAL: "incremental sync"}
#: Pages that the import area stands on, and may be gone back to.
PAGES = ("contacts", "orders")
GUIDED = "setup"


def area(session: Session, connector: Connector, page: str) -> dict[str, Any]:
    """Return what the import area of a page shows: the newest run and whether others may be started."""
    newest = run_progress.latest(session, connector.id)
    progress = run_progress.progress(session, newest.id, services().clock.now()) if newest else None
    return {
        "import_page": page,
        "import_progress": progress,
        "import_missing": fields.missing(connector) != [],
        "may_create": me().may(Role.ADMIN),
        "run_may_pause": newest is not None and run_lifecycle.may_pause(newest),
        "import_ready": bool(connector.store_url and connector.mautic_url),
        "may_run": me().may(Role.SUPPORT),
        "kinds": KINDS,
        "phases": PHASES,
    }


@bp.get("/progress")
@connector_view
def progress(connector: Connector) -> ResponseReturnValue:
    """Give the part of the page that changes while a run is going."""
    with services().db.read() as session:
        shown = area(session, connector, _page(request.args.get("page", "")))
    return render_template("modules/contacts/_import.html", connector=connector, **shown)


@bp.post("/start")
@needs(Role.SUPPORT)
@connector_view
def start(connector: Connector) -> ResponseReturnValue:
    """Start a run."""
    page, kind = _page(request.form.get("page", "")), request.form.get("kind", "")
    if kind not in STARTABLE:
        abort(404)
    if run_start.begin(connector, kind, diff={"kind": [None, kind]}) is not None:
        flash(f"The {STARTABLE[RunKind(kind)]} has been started.", "ok")
    return redirect(url_for(f"{page}.index", connector_id=connector.id, _anchor="import"))


@bp.post("/start-with-fields")
@needs(Role.ADMIN)
@connector_view
def start_with_fields(connector: Connector) -> ResponseReturnValue:
    """Create the fields that Mautic lacks, then start the initial import; without them no import begins."""
    page = _page(request.form.get("page", ""))
    try:
        flash(fields.make_missing(connector), "ok")
    except IntegrationError as error:
        flash(f"The import was not started: {error}", "bad")
    else:
        if run_start.begin(connector, RunKind.INITIAL, diff={"kind": [None, RunKind.INITIAL.value]}) is not None:
            flash("The initial import has been started.", "ok")
    return redirect(url_for(f"{page}.index", connector_id=connector.id, _anchor="import"))


@bp.post("/cancel")
@needs(Role.SUPPORT)
@connector_view
def cancel(connector: Connector) -> ResponseReturnValue:
    """Cancel the run that is going."""
    page = _page(request.form.get("page", ""))
    with services().db.read() as session:
        newest = run_progress.latest(session, connector.id)
    if newest is not None:

        def audit(session: Session, run: Run) -> None:
            record(session, AuditAction.SYNC_CANCELLED, f"run {run.id}", {}, connector)

        flash(*cancelled(cancelling.cancel(services(), newest.id, audit=audit)))
    return redirect(url_for(f"{page}.index", connector_id=connector.id, _anchor="import"))


def _page(name: str) -> str:
    return name if name in (*PAGES, GUIDED) else PAGES[0]
