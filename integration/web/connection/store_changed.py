"""The answer of an administrator whether a changed store is the same one or a copy (X16)."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import fingerprint
from integration.web.frame.access import connector_view, needs, record
from integration.web.frame.services import services

bp = Blueprint("store_changed", __name__, url_prefix="/connectors/<int:connector_id>/store-changed")
#: Answer -> (what is done, what is said then).
_ANSWERS = {
    "same": (fingerprint.confirm_same, "It is the same store. What waits is sent now."),
    "copy": (fingerprint.confirm_copy, "It is a copy: nothing is sent and nothing is written."),
}


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def answer(connector: Connector) -> ResponseReturnValue:
    """Take the answer; one that nobody waits for changes nothing."""
    if (given := request.form.get("answer", "")) not in _ANSWERS:
        abort(404)
    act, said = _ANSWERS[given]

    def audit(session: Session, diff: Diff) -> None:
        record(session, AuditAction.STORE_CONFIRMED, f"{given} store for {connector.name}", diff, connector)

    with services().db.write() as session:
        changed = act(session, services().clock.now(), connector.id, audit)
    services().wakeup.ring(connector.id)
    flash(*((said, "ok") if changed else ("Nothing was changed: nobody waits for this answer.", "warn")))
    return redirect(url_for("connection.index", connector_id=connector.id))
