"""What a cancelled run had waiting: given up, and taken back when the run is resumed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from integration.events import HISTORICAL
from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.pipeline.outbox import letters
from integration.pipeline.outbox.acceptance import open_identities
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.outbox.tally import Tally


def discard(session: Session, now: datetime, connector_id: int, *, run_id: int | None = None) -> int:
    """Give up what a cancelled run still had waiting of history; what is leased is finished; return how many.

    What happened in the store just now stays owed, whoever was to send it: no poll meets it again, and no other run
    would send its e-mail.
    It keeps its payload, for the run may be resumed (see take_back). What a cancelled replay had not sent yet becomes a
    dead letter or a partial success again, so that nothing is lost.
    """
    lock_connector(session, connector_id)
    mine = (Delivery.connector_id == connector_id) & (Delivery.run_id == run_id) & Delivery.lease_token.is_(None)
    its = or_(Delivery.origin.in_(HISTORICAL), Delivery.replayed_at.is_not(None))
    free = (mine, its, OPEN, Delivery.state != literal_column("'leased'"))
    columns = (
        Delivery.id,
        Delivery.person_key,
        Delivery.kind,
        Delivery.source_id,
        Delivery.created_at,
        Delivery.replayed_at,
        Delivery.result,
    )
    # Locked, for a lane may be claiming: what it has got is not given up, and what is given up it passes by.
    rows = session.execute(select(*columns).where(*free).order_by(Delivery.id).with_for_update()).all()
    _end(session, (*free, Delivery.replayed_at.is_(None)), state=DeliveryState.DISCARDED, settled_at=now)
    # Only what was partial before it was sent again, or is by now, has a result.
    half = {row.id for row in rows if row.replayed_at is not None and row.result}
    _end(session, (*free, Delivery.id.in_(half)), state=DeliveryState.DELIVERED, partial=True, settled_at=now)
    again = _dead_again(session, connector_id, [row for row in rows if row.id not in half])
    for state, ids in again.items():
        _end(session, (*free, Delivery.id.in_(ids)), state=state, settled_at=now)
    states = {number: state for state, ids in again.items() for number in ids}
    tally = Tally(connector_id)
    for row in rows:
        tally.leave(row.created_at, row.kind)
        counted = "partial" if row.id in half else states.get(row.id, DeliveryState.DISCARDED)
        tally.settled(row.created_at, row.kind, counted, row.result)
    tally.write(session)
    promote(session, connector_id, {row.person_key for row in rows})
    return len(rows)


def _dead_again(session: Session, connector_id: int, rows: Sequence[Row[Any]]) -> dict[DeliveryState, list[int]]:
    """Return what the unsent of a cancelled replay become: a dead letter, or closed where the record has one by now."""
    replayed = [row for row in rows if row.replayed_at is not None]
    newest = {(row.kind, row.source_id): row.id for row in replayed}
    taken = letters.has_letter(session, connector_id, newest)
    dead = [number for record, number in newest.items() if record not in taken]
    closed = [row.id for row in replayed if row.id not in set(dead)]
    return {DeliveryState.DEAD: dead, DeliveryState.CLOSED: closed}


def _end(session: Session, which: Sequence[Any], **values: Any) -> None:
    session.execute(update(Delivery).where(*which).values(**values).execution_options(synchronize_session=False))


def given_up_count(session: Session, run_id: int) -> int:
    """Count what a cancelled run gave up and could still be sent: a person discarded none of it, none is too old."""
    return session.scalar(select(func.count()).select_from(Delivery).where(*_given_up(run_id))) or 0


def take_back(session: Session, now: datetime, connector_id: int, run_id: int) -> tuple[int, int]:
    """Owe again what a cancelled run gave up; return how many, and how many are on their way without it by now.

    Each counts as tried, so that the store is read again before it is sent.
    """
    lock_connector(session, connector_id)
    rows = session.scalars(select(Delivery).where(*_given_up(run_id)).order_by(Delivery.id)).all()
    busy = open_identities(session, connector_id, [row.identity for row in rows])
    owed = [row for row in rows if row.identity not in busy]
    tally = Tally(connector_id)
    for row in owed:
        tally.settled(row.created_at, row.kind, DeliveryState.DISCARDED, row.result, -1)
        tally.enter(row.created_at, row.kind)
        row.state, row.due_at, row.settled_at = DeliveryState.WAITING, now, None
        row.attempts = max(row.attempts, 1)
    session.flush()
    tally.write(session)
    promote(session, connector_id, {row.person_key for row in owed})
    return len(owed), len(rows) - len(owed)


def _given_up(run_id: int) -> tuple[Any, ...]:
    given_up = Delivery.state == DeliveryState.DISCARDED
    return Delivery.run_id == run_id, given_up, Delivery.discard_reason == "", Delivery.payload.is_not(None)
