"""Storage: how much is kept and for how long."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.organisation import Organisation
from integration.models.user import Role
from integration.operations.retention import Keep, save, sizes
from integration.web.frame.access import me, needs, own_connectors, record
from integration.web.frame.services import services

bp = Blueprint("storage", __name__, url_prefix="/storage")
LABELS = {
    "success": "Sync Log, successes (days)",
    "errors": "Sync Log, errors (days)",
    "deliveries": "Records and their attempts (days)",
    "runs": "Runs, alerts, reconciliations (days)",
    "audit": "Audit log (days)",
    "payload_hours": "Payload files after a run (hours)",
}


@bp.get("")
@needs(Role.ADMIN)
def index() -> ResponseReturnValue:
    """Show what is stored and for how long it is kept."""
    with services().db.read() as session:
        keep = Keep.of(session.get(Organisation, me().organisation_id))
    return _page({name: str(value) for name, value in keep.model_dump().items()})


def _page(values: dict[str, str], error: SettingError | None = None) -> ResponseReturnValue:
    with services().db.read() as session:
        mine = [each.id for each in own_connectors(session) if each.organisation_id == me().organisation_id]
        stored = sizes.rows_of(session, me().organisation_id, mine)
        whole = sizes.of_installation(session, services().deployment.instance_path) if me().may(Role.SUPER) else None
    body = render_template(
        "administration/storage/index.html",
        stored=stored,
        whole=whole,
        labels=LABELS,
        values=values,
        usual=Keep().model_dump(),
        error=error,
    )
    return (body, 400) if error else body


@bp.post("")
@needs(Role.ADMIN)
def save_post() -> ResponseReturnValue:
    """Keep new numbers; rows that are older leave within the hour."""
    values = {name: request.form.get(name, "") for name in LABELS}
    try:
        keep = Keep().with_values(values)
    except SettingError as error:
        return _page(values, error)
    with services().db.write() as session:
        diff = save(session, session.get_one(Organisation, me().organisation_id), keep)
        if diff:
            record(session, AuditAction.UPDATED, "retention", diff)
    flash(
        "Saved. What is older than that leaves within the hour, a little at a time."
        if diff
        else "Nothing was changed.",
        "ok",
    )
    return redirect(url_for("storage.index"))
