"""Preview (P19) of an import and the backfill of orders (P43): the first records as sent, and what all would cost."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.errors import IntegrationError
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.models.user import Role
from integration.pipeline.connectors import store_profile
from integration.pipeline.dry_run import preview
from integration.pipeline.runs import options as run_options
from integration.web.frame import filters, live
from integration.web.frame.access import connector_view, needs
from integration.web.frame.services import services
from integration.web.modules.imports import PAGES
from integration.web.operations import run_start

bp = Blueprint("preview", __name__, url_prefix="/connectors/<int:connector_id>/preview")


@bp.get("/<page>")
@needs(Role.SUPPORT)
@connector_view
def index(connector: Connector, page: str) -> ResponseReturnValue:
    """Show the first records as they would be sent, or a part with them; the store is asked, nothing is written."""
    if page not in PAGES:
        abort(404)
    typed = _typed(connector, page, request.args)
    found, problem = None, ""
    if not typed.errors:
        try:
            found = preview.of(services(), connector, page, typed.options)
        except IntegrationError as error:
            problem = str(error)
    body = render_template(
        "modules/preview_part.html" if live.is_part() else "modules/preview.html",
        connector=connector,
        page=page,
        found=found,
        problem=problem,
        errors=typed.errors,
        since=request.args.get("since", ""),
        until=request.args.get("until", ""),
        ready=bool(connector.store_url and connector.mautic_url),
        enabled=getattr(services().modules(connector), page).enabled,
    )
    return (body, 400) if typed.errors else body


@bp.post("/orders")
@needs(Role.SUPPORT)
@connector_view
def backfill(connector: Connector) -> ResponseReturnValue:
    """Start the backfill of orders between two moments; a moment that cannot be read starts nothing."""
    typed = _typed(connector, "orders", request.form)
    if typed.errors:
        for sentence in typed.errors.values():
            flash(f"The backfill was not started: {sentence}", "bad")
        since, until = (request.form.get(name, "") for name in ("since", "until"))
        again = url_for("preview.index", connector_id=connector.id, page="orders", since=since, until=until)
        return redirect(again)
    diff = {"kind": [None, RunKind.BULK.value], "options": [None, typed.options]}
    run_id = run_start.begin(connector, RunKind.BULK, options=typed.options, diff=diff)
    if run_id is None:
        return redirect(url_for("orders.index", connector_id=connector.id, _anchor="import"))
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


def _typed(connector: Connector, page: str, given: Mapping[str, str]) -> run_options.Typed:
    """Return the options of a bulk run of one module; only orders are told apart by dates here."""
    moments = {name: given.get(name, "") for name in ("since", "until")} if page == "orders" else {}
    values = {"kind": RunKind.BULK.value, "only": [page], **moments}
    return run_options.read(values, filters.zone_of(connector).key, list(store_profile.statuses(connector)))
