"""Says in the sync log which records a hold keeps from Mautic: one error entry for each record and cause."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import Throttled
from integration.http.signatures import SIGNATURES
from integration.mautic.answers import SERVICE
from integration.models.delivery import HISTORY, Delivery
from integration.models.hold import Hold
from integration.models.sql import by_index
from integration.pipeline.connectors import holds
from integration.pipeline.leases.endings import INTERNAL
from integration.pipeline.outbox.states import OPEN, OPEN_INDEX, READY, WAITING
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry

#: So many records are told of at a time.
TOLD_MAX = 500
#: Mautic only asks to wait: nobody has to mend anything, and it may ask every minute.
_WAITS = frozenset({row.code for row in SIGNATURES if row.kind is Throttled})


def is_told(code: str) -> bool:
    """Tell whether a hold for this cause is an error of the records that it keeps."""
    return code not in _WAITS


def sentence(reason: str) -> str:
    """Return what is said of a record that a hold keeps, `reason` being the hold's sentence and hint."""
    return f"Not sent: {reason} It is sent by itself when the connection works again."


def tell(session: Session, now: datetime, connector_id: int) -> None:
    """Write an entry for each live record that waits while Mautic is held and has none of this cause yet.

    The caller has locked the connector and commits.
    """
    hold = holds.current(session, connector_id, SERVICE)
    if hold is None or not is_told(hold.code):
        return
    query = select(Delivery).where(
        Delivery.connector_id == connector_id,
        # As the index has it.
        OPEN,
        or_(READY, WAITING),
        Delivery.lease_token.is_(None),
        # A run says of itself that it waits.
        Delivery.priority < HISTORY,
        Delivery.error_code.not_in((hold.code, INTERNAL)),
    )
    query = by_index(query, Delivery, OPEN_INDEX)
    rows = session.scalars(query.order_by(Delivery.id).limit(TOLD_MAX)).all()
    sync_log_writing.record(session, [_entry(now, row, hold) for row in rows])
    for row in rows:
        row.error_code, row.error = hold.code, _reason(hold)
    session.flush()


def _reason(hold: Hold) -> str:
    return f"{hold.sentence} {hold.hint}".strip()


def _entry(now: datetime, row: Delivery, hold: Hold) -> Entry:
    return Entry(
        connector_id=row.connector_id,
        at=now,
        type=row.kind,
        object_id=row.number or row.source_id,
        action=streams.of(row.kind).action(row.event),
        status=sync_log_writing.ERROR,
        message=sentence(_reason(hold)),
        source_id=row.source_id,
        person_key=row.person_key,
        delivery_id=row.id,
        run_id=row.run_id,
    )
