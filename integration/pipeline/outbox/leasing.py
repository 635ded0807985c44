"""Claiming: lines are leased, and leases are kept or taken back."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.pipeline.leases import alive
from integration.pipeline.lines import Line
from integration.pipeline.lines import group
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import LEASED
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.outbox.states import READY
from integration.pipeline.outbox.states import WAITING

LEASE = timedelta(seconds=60)


def claim(
    session: Session,
    now: datetime,
    connector_id: int,
    people: int,
    token: str,
    *,
    by_hand_only: bool = False,
    due: datetime | None = None,
) -> list[Line]:
    """Lease the lines of up to `people` people, live ones first; `token` must be new (see leases.new_token).

    Taken is what is due by `due`, which is `now` unless given.
    """
    query = select(Delivery.id, Delivery.subject).where(
        Delivery.connector_id == connector_id, READY, Delivery.due_at <= (due or now)
    )
    if by_hand_only:
        query = query.where(Delivery.run_id.is_not(None))
    query = query.order_by(Delivery.priority, Delivery.id).limit(people).with_for_update(skip_locked=True)
    leads = session.execute(query).all()
    if not leads:
        return []
    _lease(session, now, token, [lead.id for lead in leads], READY, state=DeliveryState.LEASED)
    subjects = [lead.subject for lead in leads]
    followers = (Delivery.connector_id == connector_id) & Delivery.subject.in_(subjects) & WAITING
    _lease(session, now, token, None, followers & Delivery.lease_token.is_(None))
    rows = session.scalars(select(Delivery).where(Delivery.lease_token == token, OPEN).order_by(Delivery.id)).all()
    return group(rows, order=subjects)


def _lease(session: Session, now: datetime, token: str, ids: list[int] | None, which: Any, **values: Any) -> None:
    statement = update(Delivery).where(which)
    if ids is not None:
        statement = statement.where(Delivery.id.in_(ids))
    values |= {"lease_token": token, "leased_until": now + LEASE, "attempts": Delivery.attempts + 1, "started_at": now}
    session.execute(statement.values(**values).execution_options(synchronize_session=False))


def renew(session: Session, now: datetime, token: str) -> bool:
    """Prolong a lease; return False when it is lost."""
    renewed = session.execute(
        update(Delivery).where(Delivery.lease_token == token, OPEN).values(leased_until=now + LEASE)
    )
    return bool(renewed.rowcount)  # type: ignore[attr-defined]  # an UPDATE returns a CursorResult


def recover(session: Session, now: datetime) -> int:
    """Take back leases that ran out or whose process is gone; return how many deliveries are free again."""
    query = select(Delivery.lease_token, Delivery.leased_until, Delivery.connector_id).where(LEASED).distinct()
    leases = session.execute(query).all()
    lost = [(token, owner) for token, until, owner in leases if token and _is_lost(token, until, now)]
    return sum(_free(session, token, connector_id) for token, connector_id in lost)


def _is_lost(token: str, until: datetime | None, now: datetime) -> bool:
    return until is None or until < now or not alive(token)


def _free(session: Session, token: str, connector_id: int) -> int:
    lock_connector(session, connector_id)
    subjects = session.scalars(select(Delivery.subject).where(Delivery.lease_token == token, OPEN)).all()
    session.execute(
        update(Delivery)
        .where(Delivery.lease_token == token, OPEN)
        .values(state=DeliveryState.WAITING, lease_token=None, leased_until=None)
        .execution_options(synchronize_session=False)
    )
    promote(session, connector_id, set(subjects))
    return len(subjects)
