"""Holds: the connection is at fault, so work waits instead of failing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from integration.errors import ServiceError
from integration.models.database import lock_connector
from integration.models.hold import Hold
from integration.models.sql import swapped
from integration.pipeline.delivery.retries import probe_delay

_FLAPPING = timedelta(minutes=10)
#: Nobody else probes for so long while one caller does: longer than the longest call (Route.read_timeout).
PROBE_LEASE = timedelta(seconds=150)
_OPEN = select(Hold).where(Hold.connector_id == bindparam("connector_id"), Hold.released_at.is_(None)).order_by(Hold.id)


def open_holds(session: Session, connector_id: int) -> Sequence[Hold]:
    """Return the holds that are in force, oldest first."""
    return session.scalars(_OPEN, {"connector_id": connector_id}).all()


def current(session: Session, connector_id: int, service: str) -> Hold | None:
    """Return the hold of one service ("store", "mautic"), None when there is none."""
    return next((hold for hold in open_holds(session, connector_id) if hold.service == service), None)


def hold(session: Session, now: datetime, connector_id: int, error: ServiceError, *, probed: bool = False) -> Hold:
    """Hold a connector, or renew the reason of the hold there is.

    The next look comes later each time that one was fruitless: `probed` says that the error is the answer to one. What
    was on its way when the hold began, and fails a little later, moves nothing.
    """
    lock_connector(session, connector_id)
    found = current(session, connector_id, error.service)
    moves = found is None or probed or found.probe_at <= now
    if found is None:
        found = _recent(session, now, connector_id, error)
    if found is None:
        found = Hold(connector_id=connector_id, service=error.service, since=now, probes=0)
        session.add(found)
    elif moves:
        found.probes += 1
        found.released_at = None
    found.code, found.sentence, found.hint = error.code, error.sentence, error.hint
    if moves:
        found.probe_at = now + probe_delay(found.probes, error)
    session.flush()
    return found


def _recent(session: Session, now: datetime, connector_id: int, error: ServiceError) -> Hold | None:
    """Return the last hold if it ended just now for the same reason: a probe passed that should not have."""
    query = select(Hold).where(Hold.connector_id == connector_id, Hold.service == error.service)
    last = session.scalar(query.order_by(Hold.id.desc()).limit(1))
    again = last is not None and last.code == error.code and last.released_at is not None
    return last if again and last and last.released_at and now - last.released_at < _FLAPPING else None


def take_probe(session: Session, now: datetime, hold: Hold) -> bool:
    """Return True for the one caller that may look now; the others see a later time."""
    if hold.probe_at > now:
        return False
    moved = swapped(
        session,
        update(Hold)
        .where(Hold.id == hold.id, Hold.probe_at == hold.probe_at, Hold.released_at.is_(None))
        .values(probe_at=now + max(probe_delay(hold.probes, None), PROBE_LEASE))
        .execution_options(synchronize_session=False),
    )
    return bool(moved)


def release(session: Session, now: datetime, connector_id: int, service: str, code: str = "") -> bool:
    """End the hold of a service, only one of this code if given; return whether there was one."""
    held = update(Hold).where(Hold.connector_id == connector_id, Hold.service == service, Hold.released_at.is_(None))
    ended = swapped(session, (held.where(Hold.code == code) if code else held).values(released_at=now))
    return bool(ended)


def probe_again(session: Session, at: datetime, connector_id: int, service: str) -> None:
    """Let the next caller look at this time: a probe found nothing that would tell how the service is."""
    held = (Hold.connector_id == connector_id, Hold.service == service, Hold.released_at.is_(None))
    session.execute(update(Hold).where(*held).values(probe_at=at))


def probe_now(session: Session, now: datetime, connector_id: int, service: str = "") -> bool:
    """Let the next claim or read look at once: somebody has mended something; return whether anything was held.

    Without a `service` both sides are looked at.
    """
    held = update(Hold).where(Hold.connector_id == connector_id, Hold.released_at.is_(None))
    found = swapped(session, (held.where(Hold.service == service) if service else held).values(probe_at=now, probes=0))
    return bool(found)
