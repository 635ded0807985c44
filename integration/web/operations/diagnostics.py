"""Diagnostics (E1 to E5): both tests, the mapping tried on a record, the support bundle, and what is recognised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from integration import streams
from integration.events import Kind
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.support import support_bundle
from integration.operations.support.diagnostics import delivery, mapping
from integration.operations.support.diagnostics.catalogue import by_service
from integration.operations.support.diagnostics.findings import MEANINGS, State
from integration.pipeline.connectors import neighbours
from integration.pipeline.connectors.webhook_registration import delivery_url
from integration.web.connection import test as connection_test
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.services import services

bp = Blueprint("diagnostics", __name__, url_prefix="/connectors/<int:connector_id>/diagnostics")

#: State of a field -> kind of its badge.
BADGES = {
    State.PRESENT: "ok",
    State.MISSING: "muted",
    State.KEPT: "muted",
    State.DEFAULT_USED: "info",
    State.SHORTENED: "warn",
    State.INVALID: "bad",
    State.UNKNOWN_IN_MAUTIC: "bad",
}
VERDICTS = {"written": "ok", "unchanged": "ok", "skipped": "warn", "failed": "bad"}
_RECORD_ID_MAX_DIGITS = 18


@bp.get("")
@needs(Role.SUPPORT)
@connector_view
def index(connector: Connector) -> str:
    """Show what can be tried; nothing is asked of either system yet."""
    return _page(connector)


@bp.post("/test")
@needs(Role.SUPPORT)
@connector_view
def test(connector: Connector) -> ResponseReturnValue:
    """Try both connections as they are saved, step by step where scripts run."""
    steps = connection_test.steps(services(), connection_test.prepare(services(), connector, {}))
    if request.headers.get("X-Live") == "1":
        return connection_test.live(steps)
    return _page(connector, results=list(steps))


@bp.post("/mapping")
@needs(Role.SUPPORT)
@connector_view
def try_mapping(connector: Connector) -> str:
    """Map one order and one customer, the newest or those with the typed ids; nothing is sent."""
    ids, notices = _ids()
    return _page(connector, notices=notices, tried=mapping.try_all(services(), connector, ids))


def _ids() -> tuple[dict[Kind, int], list[str]]:
    ids, notices = {}, []
    for kind in mapping.kinds():
        label = streams.labels(kind).noun
        text = request.form.get(kind.value, "").strip().removeprefix("#")
        if text.isascii() and text.isdigit() and len(text) <= _RECORD_ID_MAX_DIGITS:
            ids[kind] = int(text)
        elif text:
            notices.append(f"“{text[:40]}” is no id of {label.lower()}s, so the newest one was tried.")
    return ids, notices


@bp.get("/bundle.json")
@needs(Role.SUPPORT)
@connector_view
def bundle(connector: Connector) -> Response:
    """Download the support bundle; the installation's own log is in it for super admins."""
    made = support_bundle.build(services(), connector, whole=me().may(Role.SUPER))
    name = support_bundle.file_name(connector.id, services().clock.now())
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(support_bundle.as_json(made), mimetype="application/json", headers=headers)


def _page(connector: Connector, notices: Sequence[str] = (), **found: Any) -> str:
    modules = services().modules(connector)
    with services().db.read() as session:
        clash = neighbours.clash(session, connector)
    return render_template(
        "operations/diagnostics/index.html",
        connector=connector,
        notices=notices,
        clash=clash,
        results=found.get("results"),
        tried=found.get("tried"),
        sides=connection_test.SIDES,
        kinds=[(kind, streams.labels(kind).noun) for kind in mapping.enabled(modules)],
        badges=BADGES,
        verdicts=VERDICTS,
        meanings=MEANINGS,
        unreachable=delivery.check(delivery_url(services(), connector)) if modules.sync.webhooks else None,
        recognised=by_service(),
        typed=request.form,
    )
