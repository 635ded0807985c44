"""Claiming: deliveries are leased, a person's together, and leases are kept or taken back."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    Select,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from integration.mautic.batches import pause_s
from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.models.run import DELIVERING, Run, among_going
from integration.models.sql import by_index, swapped
from integration.pipeline.delivery.groups import DeliveryGroup, group
from integration.pipeline.leases.endings import INTERNAL as BROKE_OFF
from integration.pipeline.leases.tokens import IsLost, is_lost
from integration.pipeline.outbox import unanswered
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import LEASED, OPEN, READY, READY_INDEX, WAITING, WAITING_INDEX, brought_by_run

LEASE = timedelta(seconds=60)
#: So many deliveries of several people are leased at once, about: a batch is held in memory with all its records, and
#: people whom a run gathered have up to a hundred each.
ROWS_MAX = 400
#: All orders of a person are looked at with any of their deliveries: so many known orders count as one delivery.
KNOWN_ORDERS = 10
#: The last people of a run, whose end is waited for, are shared among the lanes, but not into calls of fewer.
SHARE_MIN = 25
#: A query for the deliveries that others of their person wait behind: id, person key, error code.
Leads = Select[tuple[int, str, str]]


def claim(
    session: Session,
    now: datetime,
    connector_id: int,
    people: int,
    token: str,
    *,
    by_hand_only: bool = False,
    due: datetime | None = None,
    lanes: int = 1,
) -> list[DeliveryGroup]:
    """Lease the deliveries of up to `people` people, live ones first; `token` must be new (see leases.new_token).

    They are fewer people where they have more than ROWS_MAX deliveries, or ten times as many known orders, but a
    person's are always leased together.
    Where so few are left of a run that some of the `lanes` would have nothing to do, and no run reads more, they are a
    share of them. Taken is what is due by `due`, which is `now` unless given. Left out are the people of a call without
    an answer: see claim_for_look_up.
    """
    values = {"due": due or now, "most": people}
    return _claim(session, now, connector_id, token, _due_leads(by_hand_only), values, rows=ROWS_MAX, lanes=lanes)


def is_short(groups: Sequence[DeliveryGroup], people: int) -> bool:
    """Return whether `claim` found fewer than `people`, and not for want of room: as a rule nobody else was due.

    It may have been for want of room where people have very many known orders.
    """
    return len(groups) < min(people, SHARE_MIN) and sum(len(each.deliveries) for each in groups) < ROWS_MAX


def due_count(session: Session, now: datetime, connector_id: int, *, most: int) -> int:
    """Return how many people `claim` or `claim_for_look_up` would find now, at most `most`."""
    return session.scalar(_DUE_COUNT, {"connector_id": connector_id, "now": now, "most": most}) or 0


def claim_for_look_up(
    session: Session, now: datetime, connector_id: int, token: str, *, by_hand_only: bool = False
) -> tuple[unanswered.LookedUpCall | None, list[DeliveryGroup]]:
    """Lease the deliveries of a call without an answer whose look is due; (None, []) when there is none."""
    looked_up = unanswered.take(session, now, connector_id)
    if looked_up is None:
        return None, []
    values = {"person_keys": sorted(looked_up.seen), "most": len(looked_up.seen)}
    groups = _claim(session, now, connector_id, token, _leads_of_people(by_hand_only), values)
    if not groups:
        unanswered.look_again(session, now, looked_up, None)
    return (looked_up, groups) if groups else (None, [])


@functools.cache
def _due_leads(by_hand_only: bool) -> Leads:
    return _leads((Delivery.due_at <= bindparam("due")) & unanswered.nothing_in_question(), by_hand_only)


@functools.cache
def _leads_of_people(by_hand_only: bool) -> Leads:
    return _leads(among(Delivery.person_key, bindparam("person_keys")), by_hand_only)


def _leads(which: ColumnElement[bool], by_hand_only: bool) -> Leads:
    query = select(Delivery.id, Delivery.person_key, Delivery.error_code)
    query = query.where(Delivery.connector_id == bindparam("connector_id"), READY, which)
    if by_hand_only:
        query = query.where(brought_by_run())
    query = by_index(query, Delivery, READY_INDEX).order_by(Delivery.priority, Delivery.id)
    return query.limit(_MOST).with_for_update(skip_locked=True)


def _claim(
    session: Session,
    now: datetime,
    connector_id: int,
    token: str,
    which: Leads,
    values: Mapping[str, Any],
    *,
    rows: int | None = None,
    lanes: int = 1,
) -> list[DeliveryGroup]:
    leads = _apart(session.execute(which, {"connector_id": connector_id, **values}).all())
    if lanes > 1 and len(leads) < values["most"]:
        leads = _share(session, connector_id, leads, lanes)
    if rows is not None:
        leads = _fitting(session, connector_id, leads, rows)
    if not leads:
        return []
    taken = {"token": token, "until": now + LEASE, "at": now}
    session.connection().execute(_LEASE_LEADS, {"ids": [lead.id for lead in leads], **taken})
    person_keys = [lead.person_key for lead in leads]
    if leads[0].error_code != BROKE_OFF:
        theirs = {"of_connector": connector_id, "person_keys": person_keys}
        session.connection().execute(_LEASE_FOLLOWERS, {**theirs, **taken})
    return group(session.scalars(_LEASED, {"token": token}).all(), order=person_keys)


def _apart(leads: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Return the leads of one batch: one that broke a batch off before goes alone, without those behind it."""
    if leads and leads[0].error_code == BROKE_OFF:
        return leads[:1]
    return [lead for lead in leads if lead.error_code != BROKE_OFF]


def _share(session: Session, connector_id: int, leads: Sequence[Row[Any]], lanes: int) -> Sequence[Row[Any]]:
    share = max(SHARE_MIN, math.ceil(len(leads) / lanes))
    if len(leads) - share < SHARE_MIN:
        return leads
    # Of what no run waits for, a call less is worth more than a second.
    reads = session.scalars(_READS, {"connector_id": connector_id}).all()
    return leads[:share] if reads and not any(reads) else leads


def _fitting(session: Session, connector_id: int, leads: Sequence[Row[Any]], most: int) -> Sequence[Row[Any]]:
    """Return the first leads that have `most` deliveries together with those behind them, and the first in any case."""
    if len(leads) < 2:
        return leads
    held = dict.fromkeys((lead.person_key for lead in leads), KNOWN_ORDERS)
    values = {"of_connector": connector_id, "person_keys": list(held)}
    for person_key, orders in session.execute(_HELD, values).tuples():
        held[person_key] += orders
    totals = accumulate(held[lead.person_key] for lead in leads)
    most *= KNOWN_ORDERS
    return [lead for place, (lead, total) in enumerate(zip(leads, totals, strict=True)) if not place or total <= most]


def _due() -> Select[tuple[int]]:
    now: BindParameter[datetime] = bindparam("now", type_=Delivery.due_at.type)
    free = (Delivery.due_at <= now) & unanswered.nothing_in_question()
    mine = Delivery.connector_id == bindparam("connector_id")
    query = select(Delivery.id).where(mine, READY, free | unanswered.ready_for_a_look(now))
    first = by_index(query, Delivery, READY_INDEX).limit(_MOST)
    return select(func.count()).select_from(first.subquery())


def _leasing(*which: ColumnElement[bool], **also: str) -> Update:
    lease = (("lease_token", "token"), ("leased_until", "until"), ("started_at", "at"))
    values: dict[str, Any] = {name: bindparam(value) for name, value in lease}
    return update(Delivery).where(*which).values(attempts=Delivery.attempts + 1, **values, **also)


_MOST: BindParameter[int] = bindparam("most", type_=Integer)
_DUE_COUNT = _due()
_FOLLOWERS = (
    (Delivery.connector_id == bindparam("of_connector"))
    & among(Delivery.person_key, bindparam("person_keys"))
    & WAITING
    & Delivery.lease_token.is_(None)
)
# Of each run that goes whether it reads more.
_READS = among_going(
    select(Run.phase != literal_column(f"'{DELIVERING}'")).where(Run.connector_id == bindparam("connector_id"))
)
# What is held in memory of a person beside the lead, counted in known orders.
_HELD = union_all(
    by_index(
        select(Delivery.person_key, KNOWN_ORDERS * func.count()).where(_FOLLOWERS), Delivery, WAITING_INDEX
    ).group_by(Delivery.person_key),
    select(LedgerEntry.person_key, func.count())
    .where(
        LedgerEntry.connector_id == bindparam("of_connector"), among(LedgerEntry.person_key, bindparam("person_keys"))
    )
    .group_by(LedgerEntry.person_key),
)
_LEASE_LEADS = _leasing(READY, among(Delivery.id, bindparam("ids")), state=DeliveryState.LEASED)
_LEASE_FOLLOWERS = by_index(_leasing(_FOLLOWERS), Delivery, WAITING_INDEX)
_LEASED = select(Delivery).where(Delivery.lease_token == bindparam("token"), OPEN).order_by(Delivery.id)


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
