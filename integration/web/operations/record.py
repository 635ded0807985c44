"""One record: every attempt, the store's values beside what was sent, Retry, Discard, edit and send again (A5, X2)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.delivery import Delivery, DeliveryState
from integration.models.user import Role
from integration.pipeline import outbox
from integration.pipeline.audited import Diff
from integration.pipeline.dead_letters.corrections import corrected, editable
from integration.pipeline.dead_letters.editing import edit
from integration.pipeline.delivery.attempts import FIRST_KEPT, NEWEST_KEPT
from integration.pipeline.delivery.retries import fault_of
from integration.queries import consents, record as querie_record, record_statuses
from integration.streams import explain
from integration.web.frame import live
from integration.web.frame.access import me, needs, record, row_view
from integration.web.frame.services import outside, services
from integration.web.operations.links import Addresses

bp = Blueprint("record", __name__, url_prefix="/connectors/<int:connector_id>/records/<int:delivery_id>")
OPEN = (DeliveryState.WAITING, DeliveryState.READY, DeliveryState.LEASED)


@bp.get("")
@row_view(Delivery, "delivery_id")
def show(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Show one record with every attempt."""
    with services().db.read() as session:
        tried = querie_record.attempts(session, row.id)
        said = consents.barred(consents.of_person(session, connector.id, row.person_key))
    return render_template(
        "operations/records/show.html",
        connector=connector,
        barred=said,
        consent_states=consents.STATES,
        row=row,
        attempts=tried,
        gap=(FIRST_KEPT, NEWEST_KEPT) if len(tried) >= FIRST_KEPT + NEWEST_KEPT else None,
        status=record_statuses.status_of(row),
        fault=fault_of(row.category) if row.error else "",
        reason=explain(row.error_code, row.kind) if row.state == DeliveryState.SKIPPED else None,
        addresses=Addresses(connector),
        may_act=me().may(Role.SUPPORT),
        may_retry=row.state == DeliveryState.DEAD or row.partial or (row.state in OPEN and row.lease_token is None),
        second=row.started_at.replace(microsecond=0).isoformat() if row.started_at else "",
        link=outside("record.show", connector_id=connector.id, delivery_id=row.id),
    )


@bp.get("/compare")
@needs(Role.SUPPORT)
@row_view(Delivery, "delivery_id")
def compare(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Read the record from the store and show it beside what was sent."""
    with services().db.read() as session:
        tried = querie_record.attempts(session, row.id)
    error: IntegrationError | None = None
    comparison = None
    try:
        comparison = querie_record.compare(services(), connector, row, tried)
    except IntegrationError as caught:
        error = caught
    template = "operations/records/_comparison.html" if live.is_part() else "operations/records/compare.html"
    return render_template(template, connector=connector, row=row, comparison=comparison, error=error)


@bp.post("/retry")
@needs(Role.SUPPORT)
@row_view(Delivery, "delivery_id")
def retry(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Send a dead letter again, or try a record that waits at once; the store is read again."""
    with services().db.write() as session:
        said = _retry(session, connector, row)
    services().wakeup.ring(connector.id)
    flash(*said)
    return _back(row)


def _retry(session: Session, connector: Connector, row: Delivery) -> tuple[str, str]:
    now = services().clock.now()
    if row.state == DeliveryState.DEAD or row.partial:
        came = outbox.requeue(session, now, connector.id, [row.id])
        if not came.queued:
            return "It was not queued: the same change is on its way already.", "warn"
        services().on_accept(session, connector.id)
        record(session, AuditAction.REPLAYED, _name(row), {"records": [0, 1]}, connector)
        return "The record is sent again; the store is read first.", "ok"
    if outbox.hasten(session, now, connector.id, row.id):
        services().on_accept(session, connector.id)
        record(session, AuditAction.REPLAYED, _name(row), {"records": [0, 1]}, connector)
        return "The record is tried again now.", "ok"
    return "There is nothing to send again: the record is not waiting for another attempt.", "warn"


@bp.get("/discard")
@needs(Role.SUPPORT)
@row_view(Delivery, "delivery_id")
def discard(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Ask for the reason before a record is given up."""
    return render_template("operations/records/discard.html", connector=connector, row=row, error="")


@bp.post("/discard")
@needs(Role.SUPPORT)
@row_view(Delivery, "delivery_id")
def discard_post(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Give a record up for good, with a reason."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        error = "Write why it is given up; the reason is kept with the record."
        return render_template("operations/records/discard.html", connector=connector, row=row, error=error), 400
    with services().db.write() as session:
        gone = outbox.bury(session, services().clock.now(), connector.id, [row.id], reason)
        if gone:
            record(session, AuditAction.DISCARDED, _name(row), {"reason": ["", reason]}, connector)
    flash(*(("The record was discarded.", "ok") if gone else ("It has ended already, so it stays as it is.", "warn")))
    return _back(row)


@bp.get("/edit")
@needs(Role.SUPPORT)
@row_view(Delivery, "delivery_id")
def edit_form(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Show the values of a dead letter, to be corrected."""
    values = editable(corrected(row.payload or {}, row.corrections))
    return _form(connector, row, values)


@bp.post("/edit")
@needs(Role.SUPPORT)
@row_view(Delivery, "delivery_id")
def edit_post(connector: Connector, row: Delivery) -> ResponseReturnValue:
    """Keep the corrected values and send the record again with them."""
    values = {
        name: request.form[f"value:{name}"] for name in editable(row.payload or {}) if f"value:{name}" in request.form
    }

    def audit(session: Session, diff: Diff) -> None:
        record(session, AuditAction.EDITED, _name(row), diff, connector)

    try:
        edit(services(), row, values, audit=audit)
    except IntegrationError as error:
        return _form(connector, row, values, error), 400
    flash("The record is sent again with your values.", "ok")
    return _back(row)


def _form(connector: Connector, row: Delivery, values: Mapping[str, str], error: IntegrationError | None = None) -> str:
    """Return the form with what was typed, each value that was refused marked with the reason."""
    wrong = {name: error.at(name) for name in values} if isinstance(error, SettingError) else {}
    return render_template(
        "operations/records/edit.html",
        connector=connector,
        row=row,
        values=values,
        error=error,
        wrong={name: sentence for name, sentence in wrong.items() if sentence},
    )


def _name(row: Delivery) -> str:
    return f"{row.kind} {row.number or row.source_id} (record {row.id})"


def _back(row: Delivery) -> ResponseReturnValue:
    return redirect(url_for("record.show", connector_id=row.connector_id, delivery_id=row.id))
