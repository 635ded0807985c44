"""Claiming: deliveries are leased, a person's together, and leases are kept or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.orm import Session

from integration.mautic.batches import pause_s
from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.models.sql import by_index, swapped
from integration.pipeline.delivery.groups import DeliveryGroup, group
from integration.pipeline.leases.endings import INTERNAL as BROKE_OFF
from integration.pipeline.leases.tokens import IsLost, is_lost
from integration.pipeline.outbox import unanswered
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import LEASED, OPEN, READY, READY_INDEX, WAITING, brought_by_run

LEASE = timedelta(seconds=60)
#: So many deliveries of several people are leased at once, about: a batch is held in memory with all its records, and
#: people whom a run gathered have up to a hundred each.
ROWS_MAX = 500


def claim(
    session: Session,
    now: datetime,
    connector_id: int,
    people: int,
    token: str,
    *,
    by_hand_only: bool = False,
    due: datetime | None = None,
) -> list[DeliveryGroup]:
    """Lease the deliveries of up to `people` people, live ones first; `token` must be new (see leases.new_token).

    They are fewer people where they have more than ROWS_MAX deliveries, but a person's are always leased together.
    Taken is what is due by `due`, which is `now` unless given. Left out are the people of a call without an answer: see
    claim_for_look_up.
    """
    which = (Delivery.due_at <= (due or now)) & unanswered.nothing_in_question()
    return _claim(session, now, connector_id, people, token, which, by_hand_only=by_hand_only, rows=ROWS_MAX)


def due_count(session: Session, now: datetime, connector_id: int, *, most: int) -> int:
    """Return how many people `claim` or `claim_for_look_up` would find now, at most `most`."""
    free = (Delivery.due_at <= now) & unanswered.nothing_in_question()
    query = select(Delivery.id).where(
        Delivery.connector_id == connector_id, READY, free | unanswered.ready_for_a_look(now)
    )
    first = by_index(query, Delivery, READY_INDEX).limit(most)
    return session.scalar(select(func.count()).select_from(first.subquery())) or 0


def claim_for_look_up(
    session: Session, now: datetime, connector_id: int, token: str, *, by_hand_only: bool = False
) -> tuple[unanswered.LookedUpCall | None, list[DeliveryGroup]]:
    """Lease the deliveries of a call without an answer whose look is due; (None, []) when there is none."""
    looked_up = unanswered.take(session, now, connector_id)
    if looked_up is None:
        return None, []
    theirs = Delivery.person_key.in_(sorted(looked_up.seen))
    groups = _claim(session, now, connector_id, len(looked_up.seen), token, theirs, by_hand_only=by_hand_only)
    if not groups:
        unanswered.look_again(session, now, looked_up, None)
    return (looked_up, groups) if groups else (None, [])


def _claim(
    session: Session,
    now: datetime,
    connector_id: int,
    people: int,
    token: str,
    which: ColumnElement[bool],
    *,
    by_hand_only: bool,
    rows: int | None = None,
) -> list[DeliveryGroup]:
    columns = (Delivery.id, Delivery.person_key, Delivery.error_code)
    query = select(*columns).where(Delivery.connector_id == connector_id, READY, which)
    if by_hand_only:
        query = query.where(brought_by_run())
    query = by_index(query, Delivery, READY_INDEX).order_by(Delivery.priority, Delivery.id)
    query = query.limit(people).with_for_update(skip_locked=True)
    leads = _apart(session.execute(query).all())
    if rows is not None:
        leads = _fitting(session, connector_id, leads, rows)
    if not leads:
        return []
    _lease(session, now, token, [lead.id for lead in leads], READY, state=DeliveryState.LEASED)
    person_keys = [lead.person_key for lead in leads]
    if leads[0].error_code != BROKE_OFF:
        _lease_followers(session, now, connector_id, token, person_keys)
    leased = session.scalars(select(Delivery).where(Delivery.lease_token == token, OPEN).order_by(Delivery.id)).all()
    return group(leased, order=person_keys)


def _apart(leads: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Return the leads of one batch: one that broke a batch off before goes alone, without those behind it."""
    if leads and leads[0].error_code == BROKE_OFF:
        return leads[:1]
    return [lead for lead in leads if lead.error_code != BROKE_OFF]


def _fitting(session: Session, connector_id: int, leads: Sequence[Row[Any]], most: int) -> Sequence[Row[Any]]:
    """Return the first leads that have `most` deliveries together with those behind them, and the first in any case."""
    if len(leads) < 2:
        return leads
    followers = _followers(connector_id, [lead.person_key for lead in leads])
    counted = session.execute(select(Delivery.person_key, func.count()).where(followers).group_by(Delivery.person_key))
    behind = {person_key: number for person_key, number in counted}
    totals = accumulate(1 + behind.get(lead.person_key, 0) for lead in leads)
    return [lead for place, (lead, total) in enumerate(zip(leads, totals, strict=True)) if not place or total <= most]


def _lease_followers(
    session: Session, now: datetime, connector_id: int, token: str, person_keys: Sequence[str]
) -> None:
    _lease(session, now, token, None, _followers(connector_id, person_keys))


def _followers(connector_id: int, person_keys: Sequence[str]) -> ColumnElement[bool]:
    theirs = (Delivery.connector_id == connector_id) & Delivery.person_key.in_(person_keys)
    # OPEN beside WAITING, for SQLite takes a partial index only where its own words stand.
    return theirs & OPEN & WAITING & Delivery.lease_token.is_(None)


def _lease(session: Session, now: datetime, token: str, ids: list[int] | None, which: Any, **values: Any) -> None:
    statement = update(Delivery).where(which)
    if ids is not None:
        statement = statement.where(Delivery.id.in_(ids))
    values |= {"lease_token": token, "leased_until": now + LEASE, "attempts": Delivery.attempts + 1, "started_at": now}
    session.execute(statement.values(**values).execution_options(synchronize_session=False))


def renew(session: Session, now: datetime, token: str) -> bool:
    """Prolong a lease; return False when it is lost."""
    renewed = swapped(
        session, update(Delivery).where(Delivery.lease_token == token, OPEN).values(leased_until=now + LEASE)
    )
    return bool(renewed)


def recover(session: Session, now: datetime, lost: IsLost = is_lost) -> int:
    """Take back leases that ran out or whose process is gone; return how many deliveries are free again.

    `lost` tells which leases these are. A call may have been out then, so their people are looked up in Mautic before
    anything of them is sent.
    """
    query = select(Delivery.lease_token, Delivery.leased_until, Delivery.connector_id).where(LEASED).distinct()
    leases = session.execute(query).all()
    gone = [(token, owner) for token, until, owner in leases if token and lost(token, until, now)]
    unanswered.forget(session, now)
    return sum(_free(session, now, token, connector_id) for token, connector_id in gone)


def _free(session: Session, now: datetime, token: str, connector_id: int) -> int:
    lock_connector(session, connector_id)
    leased = select(Delivery.person_key, Delivery.started_at).where(Delivery.lease_token == token, OPEN)
    rows = session.execute(leased).all()
    if not rows:
        # Another process was quicker: workers that start at once all take back what a killed one left.
        return 0
    person_keys = {row.person_key for row in rows}
    pause = timedelta(seconds=pause_s(len(person_keys)))
    began = min((row.started_at for row in rows if row.started_at), default=None)
    look_at = unanswered.put_in_question(session, now, connector_id, token, person_keys, pause, pause, began)
    session.execute(
        update(Delivery)
        .where(Delivery.lease_token == token, OPEN)
        .values(state=DeliveryState.WAITING, lease_token=None, leased_until=None, due_at=look_at)
        .execution_options(synchronize_session=False)
    )
    promote(session, connector_id, person_keys)
    return len(rows)
