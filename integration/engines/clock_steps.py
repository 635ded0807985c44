"""Mends what a clock leaves behind that was ahead and was set back: moments that lie further ahead than they ever may.

Whatever waits for such a moment would wait for as long as the clock was set back: runs, retries, probes, leases.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from integration.models.alert import AlertGroup, AlertNotice
from integration.models.cart import Cart
from integration.models.cart_leftover import CartLeftover
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.disk_report import DiskReport
from integration.models.drift import Gap
from integration.models.hold import Hold
from integration.models.run import GOING, Run
from integration.models.schedule import Heartbeat, Schedule
from integration.models.sql import swapped
from integration.models.unanswered import UnansweredCall
from integration.operations.monitoring import heartbeat
from integration.operations.monitoring.heartbeat import CLOCKS_DIFFER
from integration.pipeline.connectors import schedule_times
from integration.pipeline.delivery.retries import DELAY_MAX, JITTER
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.runs import poll_window
from integration.pipeline.services import Services
from integration.words import span

log = logging.getLogger(__name__)

_HOUR = timedelta(hours=1)
_NOW = timedelta(0)
_RETRY_MAX = DELAY_MAX * (1 + JITTER)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A column whose moments may lie so far ahead at most, in the rows that `only` tells."""

    column: InstrumentedAttribute[Any]
    most: timedelta
    only: ColumnElement[bool]


#: Whatever is compared with the present to say that something may happen. What a server asked for with Retry-After is
#: an hour at most (delivery.retries), a lease lasts minutes, and what is only remembered lies never ahead.
MOMENTS: Sequence[Ahead] = (
    Ahead(Delivery.due_at, _RETRY_MAX, OPEN),
    Ahead(Delivery.leased_until, _HOUR, Delivery.leased_until.is_not(None)),
    Ahead(Run.due_at, _HOUR, Run.state.in_(GOING)),
    Ahead(Run.leased_until, _HOUR, Run.state.in_(GOING)),
    Ahead(Hold.probe_at, _HOUR, Hold.released_at.is_(None)),
    Ahead(UnansweredCall.look_at, _HOUR, UnansweredCall.id.is_not(None)),
    Ahead(Connector.token_lease_until, _HOUR, Connector.token_lease_until.is_not(None)),
    Ahead(Connector.fields_at, _NOW, Connector.fields_at.is_not(None)),
    Ahead(AlertNotice.due_at, timedelta(hours=2), AlertNotice.sent_at.is_(None)),
    Ahead(AlertGroup.digest_at, timedelta(hours=25), AlertGroup.digest_at.is_not(None)),
    Ahead(Cart.due_at, _HOUR, Cart.prepared_at.is_(None)),
    Ahead(CartLeftover.due_at, timedelta(hours=25), CartLeftover.id.is_not(None)),
    Ahead(Gap.tried_at, _NOW, Gap.healed_at.is_(None)),
)


def look(services: Services) -> timedelta | None:
    """Pull back what lies too far ahead where somebody was alive in the future; return how far that is, else None."""
    now = services.clock.now()
    with services.db.read() as session:
        back = heartbeat.ahead_by(session, now)
    if back is None:
        return None
    with services.db.write() as session:
        number = pull_back(session, now)
        for connector in session.scalars(select(Connector)):
            connector.cursors = poll_window.shifted(connector.cursors, back)
        session.execute(update(Heartbeat).where(Heartbeat.beat_at > now).values(beat_at=now))
        # Whoever is alive reports again.
        session.execute(delete(DiskReport).where(DiskReport.at > now))
    log.warning("The clock was set back by %s; %d waiting times were corrected.", span(back.total_seconds()), number)
    services.wakeup.ring(0)
    return back


def pull_back(session: Session, now: datetime) -> int:
    """Bring what lies further ahead than it may to the present, schedules to their next moment; return how many."""
    pulled = sum(_pull(session, now, each) for each in MOMENTS)
    return pulled + _schedules(session, now)


def _pull(session: Session, now: datetime, each: Ahead) -> int:
    too_far = each.column > now + each.most + CLOCKS_DIFFER
    statement = update(each.column.class_).where(too_far, each.only).values({each.column.key: now})
    return swapped(session, statement.execution_options(synchronize_session=False))


def _schedules(session: Session, now: datetime) -> int:
    """Let schedules that a clock in the future has moved on come at their next moment from now."""
    moved = 0
    for row in session.scalars(select(Schedule).where(Schedule.next_run_at > now + CLOCKS_DIFFER)):
        zone = schedule_times.zone_of(session.get_one(Connector, row.connector_id))
        following = schedule_times.following(now, row.every, row.cron, zone)
        if row.next_run_at > following:
            row.next_run_at, moved = following, moved + 1
    return moved
