"""Sending again, giving up, correcting, counting."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from integration.events import Origin
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.models.delivery import LIVE, POLLED, Delivery, DeliveryState
from integration.models.sql import by_index, swapped
from integration.pipeline.delivery.batch_context import LIMITS
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.delivery.retries import HELD_BACK
from integration.pipeline.outbox import run_figures
from integration.pipeline.outbox.acceptance import open_identities
from integration.pipeline.outbox.former_runs import leave
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import OF_RUN_INDEX, OPEN, OPEN_INDEX, PARTIAL, is_lead
from integration.pipeline.outbox.tally import Tally, state_of
from integration.pipeline.outbox.unanswered import nothing_in_question

#: So many partial successes are sent again by one button; what is left is sent by pressing it once more.
PARTIAL_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Requeued:
    """What became of records that were to be sent again.

    `busy` are those whose change is on its way already, `gone` those that have not failed and lack nothing any more.
    """

    queued: int = 0
    busy: int = 0
    gone: int = 0

    def __add__(self, other: Requeued) -> Requeued:
        return Requeued(self.queued + other.queued, self.busy + other.busy, self.gone + other.gone)


def requeue(
    session: Session, now: datetime, connector_id: int, ids: Collection[int], run_id: int | None = None
) -> Requeued:
    """Send dead letters and partial successes again, counted to a replay run if given; the store is read again.

    A dead letter goes out as history (no e-mails). What was partial stays what it was, for the e-mail may be what is
    missing; what was done is not done twice.
    """
    lock_connector(session, connector_id)
    dead = _again(session, connector_id, ids)
    busy = open_identities(session, connector_id, [row.identity for row in dead])
    # Two dead letters of one change would break the rule that an open change is open once: the newest stands for both.
    chosen = {row.identity: row for row in dead if row.identity not in busy}
    tally = Tally(connector_id)
    leave(session, chosen.values(), run_id)
    for row in chosen.values():
        tally.settled(row.created_at, row.kind, state_of(row.state, row.partial), row.result, -1)
        tally.enter(row.created_at, row.kind)
        _reopen(row, now, run_id)
    if chosen:
        # Whoever sends again has mended something, perhaps in Mautic: its fields are read anew before the first batch.
        connector = session.get_one(Connector, connector_id)
        connector.fields_at = None
        connector.mautic_facts = {k: v for k, v in connector.mautic_facts.items() if k != LIMITS}
    session.flush()
    tally.write(session)
    promote(session, connector_id, {row.person_key for row in chosen.values()})
    return Requeued(len(chosen), len(dead) - len(chosen), len(set(ids)) - len(dead))


def _reopen(row: Delivery, now: datetime, run_id: int | None) -> None:
    row.former_attempts += row.attempts
    # What counts as tried once is read from the store again, as all of history is.
    row.attempts, row.origin = (1, row.origin) if row.partial else (0, Origin.REPLAY)
    row.former_attempts -= row.attempts
    row.state, row.partial, row.faults, row.due_at, row.settled_at = DeliveryState.WAITING, False, 0, now, None
    row.replayed_at, row.run_id, row.priority = now, run_id, POLLED


def partial_ids(session: Session, connector_id: int, error_code: str = "") -> Sequence[int]:
    """Return the partial successes, oldest first, of one error if given; at most as many as are sent again at once."""
    mine = select(Delivery.id).where(Delivery.connector_id == connector_id, PARTIAL)
    query = by_index(mine, Delivery, "ix_delivery_partial")
    if error_code:
        query = query.where(Delivery.error_code == error_code)
    return session.scalars(query.order_by(Delivery.id).limit(PARTIAL_MAX)).all()


def _again(session: Session, connector_id: int, ids: Collection[int]) -> Sequence[Delivery]:
    failed = or_(Delivery.state == DeliveryState.DEAD, Delivery.partial)
    query = select(Delivery).where(Delivery.connector_id == connector_id, Delivery.id.in_(list(ids)), failed)
    return session.scalars(query.order_by(Delivery.id)).all()


def bury(session: Session, now: datetime, connector_id: int, ids: Collection[int], reason: str) -> int:
    """Discard records that are dead letters or still wait, for good, with a person's reason; return how many."""
    lock_connector(session, connector_id)
    free = and_(OPEN, Delivery.lease_token.is_(None))
    which = or_(Delivery.state == DeliveryState.DEAD, free)
    query = select(Delivery).where(Delivery.connector_id == connector_id, Delivery.id.in_(list(ids)), which)
    tally = Tally(connector_id)
    rows = session.scalars(query.order_by(Delivery.id).with_for_update()).all()
    unsent = [row for row in rows if row.state != DeliveryState.DEAD]
    run_figures.count(session, [Outcome(row.id, DeliveryState.DISCARDED, run_id=row.run_id) for row in unsent])
    for row in rows:
        if row.state == DeliveryState.DEAD:
            tally.settled(row.created_at, row.kind, DeliveryState.DEAD, row.result, -1)
        else:
            tally.leave(row.created_at, row.kind)
        tally.settled(row.created_at, row.kind, DeliveryState.DISCARDED, row.result)
        row.state, row.settled_at, row.payload, row.discard_reason = DeliveryState.DISCARDED, now, None, reason[:300]
    session.flush()
    tally.write(session)
    promote(session, connector_id, {row.person_key for row in rows})
    return len(rows)


def hasten(session: Session, now: datetime, connector_id: int, delivery_id: int) -> bool:
    """Let a record that waits for its next attempt be tried at once; return whether it did wait.

    Who may be on the way in Mautic cannot be hastened.
    """
    late = (Delivery.connector_id == connector_id) & (Delivery.id == delivery_id) & (Delivery.due_at > now)
    moved = swapped(
        session,
        update(Delivery)
        .where(late, OPEN, nothing_in_question())
        .values(due_at=now, priority=LIVE)
        .execution_options(synchronize_session=False),
    )
    return bool(moved)


def correct(session: Session, delivery_id: int, corrections: Mapping[str, Any], person_key: str) -> None:
    """Keep a person's values for a dead letter; `person_key` is the person's under the corrected address."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == DeliveryState.DEAD)
        .values(corrections=dict(corrections) or None, person_key=person_key)
    )


def later_count(session: Session, now: datetime, run_id: int) -> int:
    """Count a run's deliveries that wait for their next attempt, or behind one of their person that does."""
    return open_count(session, run_id=run_id) - busy_count(session, now, run_id)


def busy_count(session: Session, now: datetime, run_id: int) -> int:
    """Count a run's deliveries that are on their way, could be taken, or are held back by the connection alone."""
    lead = aliased(Delivery)
    lead_open = is_lead(lead)
    retrying = exists().where(
        lead.connector_id == Delivery.connector_id,
        lead.person_key == Delivery.person_key,
        lead_open,
        lead.due_at > now + HELD_BACK,
    )
    query = select(func.count()).select_from(Delivery).where(Delivery.run_id == run_id, OPEN, ~retrying)
    return session.scalar(by_index(query, Delivery, OF_RUN_INDEX)) or 0


def open_count(session: Session, *, connector_id: int = 0, run_id: int | None = None) -> int:
    """Count open deliveries of a run, or else of a connector."""
    query = select(func.count()).select_from(Delivery).where(OPEN)
    if run_id is not None:
        return session.scalar(by_index(query.where(Delivery.run_id == run_id), Delivery, OF_RUN_INDEX)) or 0
    return session.scalar(by_index(query.where(Delivery.connector_id == connector_id), Delivery, OPEN_INDEX)) or 0
