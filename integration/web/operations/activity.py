"""The activity feed (F1): what happened to a connector, or to all of its organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.monitoring import activity
from integration.operations.monitoring.activity import ActivityQuery, Event
from integration.web.administration.changes import changes_of
from integration.web.frame import filters
from integration.web.frame.access import connector_view, me, own_connectors
from integration.web.frame.services import services

bp = Blueprint("activity", __name__, url_prefix="/connectors/<int:connector_id>/activity")
#: What one event of a kind is called.
_LABELS = {
    "run": "Run",
    "poll": "Poll",
    "hold": "Hold",
    "dead": "Failure",
    "conflict": "Conflict",
    "alert": "Alert",
    "reconciliation": "Reconciliation",
    "gap": "Webhook gap",
    "change": "Change",
}
#: Where more is to be seen: endpoint, what the link says, least role.
_PAGES = {
    "hold": ("connection.index", "Connection", Role.VIEWER),
    "dead": ("dead_letters.index", "Dead letters", Role.VIEWER),
    "conflict": ("records.index", "Records", Role.VIEWER),
    "alert": ("alerts.index", "Alerts", Role.ADMIN),
    "reconciliation": ("reconciliation.index", "Reconciliation", Role.VIEWER),
    "gap": ("reconciliation.index", "Reconciliation", Role.VIEWER),
}


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show what happened, newest first; administrators see who changed what."""
    with services().db.read() as session:
        siblings = _siblings(session, connector)
        query, notices = _query(connector, siblings)
        feed = activity.read(session, query, whole=me().may(Role.ADMIN))
    return render_template(
        "operations/activity/index.html",
        connector=connector,
        names={each.id: each.name for each in siblings},
        rows=[(event, changes_of(event.diff), _more(event)) for event in feed.events],
        older=feed.older,
        total=feed.total,
        query=query,
        notices=notices,
        kinds=activity.KINDS,
        labels=_LABELS,
    )


def _siblings(session: Session, connector: Connector) -> Sequence[Connector]:
    own = own_connectors(session)
    return [each for each in own if each.organisation_id == connector.organisation_id]


def _query(connector: Connector, siblings: Sequence[Connector]) -> tuple[ActivityQuery, list[str]]:
    ids = [each.id for each in siblings]
    zone = filters.zone_of(connector).key
    return ActivityQuery.parse(connector.organisation_id, connector.id, ids, request.args, zone)


def _more(event: Event) -> tuple[str, str] | None:
    """Return the address of the page that tells more and what the link says, None where there is none."""
    if (entry_id := event.about.get("entry_id")) and me().may(Role.ADMIN):
        # The audit log is read from its newest entry back: the page that begins with this one.
        return url_for("audit.index", before=entry_id + 1, _anchor=f"entry-{entry_id}"), "Audit log"
    if event.connector_id is None:
        return None
    if run_id := event.about.get("run_id"):
        return url_for("runs.show", connector_id=event.connector_id, run_id=run_id), f"Run {run_id}"
    endpoint, says, role = _PAGES.get(event.kind, ("", "", Role.VIEWER))
    if endpoint not in current_app.view_functions or not me().may(role):
        return None
    return url_for(endpoint, **_values(event)), says


def _values(event: Event) -> dict[str, Any]:
    if event.kind == "alert":
        return {}
    return {"connector_id": event.connector_id} | ({"status": "conflict"} if event.kind == "conflict" else {})
