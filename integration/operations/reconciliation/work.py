"""The clock's side of reconciliation: begins nightly ones, does slices of those that go, gives way to live traffic."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from integration.errors import Held, IntegrationError, ServerFault, ServiceError, Throttled, Unreachable
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.drift import Reconciliation
from integration.models.run import RunState
from integration.operations.reconciliation import book, nightly, repairs
from integration.operations.reconciliation.walk import Walk
from integration.pipeline.connectors import holds
from integration.pipeline.delivery.retries import probe_delay
from integration.pipeline.leases import endings
from integration.pipeline.leases.renewal import LeaseRenewal
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

#: Seconds that a tick takes for all connectors together: they take turns, and a process that stops is not waited for.
SLICE = 8.0
#: Failed slices in a row before a reconciliation is given up.
PATIENCE = 20
RENEW_EVERY = 20.0


def tick(services: Services, *, seconds: float = SLICE) -> int:
    """Begin what is due tonight, repair what was asked for, do one slice of each going reconciliation.

    Return how many slices were done.
    """
    nightly.begin(services)
    repairs.work(services)
    share = seconds / max(_going(services), 1)
    done: list[int] = []
    while (row := _take(services, token := new_token(), done)) is not None:
        done.append(row.id)
        _slice(services, row, token, share)
    if not done:
        book.purge(services)
    return len(done)


def _going(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).where(Reconciliation.ended_at.is_(None))) or 0


def _take(services: Services, token: str, passed: list[int]) -> Reconciliation | None:
    with services.db.write() as session:
        row = book.take(session, services.clock.now(), token, passed)
        session.flush()
        session.expunge_all()
    return row


def _slice(services: Services, row: Reconciliation, token: str, seconds: float) -> None:
    """Do one slice; every way it can end is written to the row."""
    with services.db.read() as session:
        connector = session.get_one(Connector, row.connector_id)
        obstacle = _obstacle(session, connector)
    probing = not obstacle and _probes_store(services, connector.id)
    obstacle = obstacle or ("" if probing else _store_held(services, connector.id))
    if row.cancel_asked_at is not None:
        return _end(services, row, token, RunState.CANCELLED)
    if obstacle:
        return _rest(services, row, token, obstacle)
    try:
        with LeaseRenewal(lambda: _renew(services, row.id, token), RENEW_EVERY):
            done = Walk(services, row, token, _patience(services, row.connector_id, seconds)).go(connector)
        if probing:
            _release_store(services, connector.id)
        _end(services, row, token, RunState.COMPLETED) if done else _rest(services, row, token)
    except book.Cancelled:
        _end(services, row, token, RunState.CANCELLED)
    except book.Lost:
        log.warning("Reconciliation %d is done by another process now.", row.id)
    except (Unreachable, Throttled, ServerFault, Held) as error:
        _pause(services, row, token, error)
    except Exception as error:
        _broke_off(services, row, token, error)


def _broke_off(services: Services, row: Reconciliation, token: str, error: Exception) -> None:
    """End it with the cause; a database that was locked or away is waited for like a service."""
    cause = endings.cause_of(error, "The reconciliation")
    if endings.is_passing(error):
        _pause(services, row, token, cause)
    else:
        _end(services, row, token, RunState.FAILED, str(cause))


def _renew(services: Services, reconciliation_id: int, token: str) -> bool:
    with services.db.write() as session:
        return book.renew(session, services.clock.now(), reconciliation_id, token)


def _obstacle(session: Session, connector: Connector) -> str:
    """Return why the comparison has to wait, "" when it can go on."""
    if not connector.store_url or not connector.mautic_url:
        return "It waits: store and Mautic must both be connected first."
    held = holds.current(session, connector.id, "mautic")
    return f"It waits: {held.sentence}" if held else ""


def _probes_store(services: Services, connector_id: int) -> bool:
    """Return whether this comparison is the one to see if a held store works again: no run may be coming to do so."""
    with services.db.write() as session:
        held = holds.current(session, connector_id, "store")
        taken = held is not None and holds.take_probe(session, services.clock.now(), held)
    if taken:
        services.breakers.of(connector_id, "store").close()
    return taken


def _store_held(services: Services, connector_id: int) -> str:
    with services.db.read() as session:
        held = holds.current(session, connector_id, "store")
    return f"It waits: {held.sentence}" if held else ""


def _release_store(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        holds.release(session, services.clock.now(), connector_id, "store")


def _patience(services: Services, connector_id: int, seconds: float) -> Callable[[], bool]:
    """Return what says after a page whether the slice is over: its time is up, or a shopper's change waits."""
    began = time.monotonic()

    def enough() -> bool:
        if time.monotonic() - began >= seconds:
            return True
        with services.db.read() as session:
            return _live_waits(session, connector_id, services.clock.now())

    return enough


def _live_waits(session: Session, connector_id: int, now: datetime) -> bool:
    query = select(Delivery.id).where(
        Delivery.connector_id == connector_id,
        Delivery.state == literal_column("'ready'"),
        Delivery.priority == 0,
        Delivery.due_at <= now,
    )
    return session.scalar(query.limit(1)) is not None


def _rest(services: Services, row: Reconciliation, token: str, sentence: str = "") -> None:
    with services.db.write() as session:
        found = session.get(Reconciliation, row.id, with_for_update=True)
        if found is not None and found.lease_token == token:
            cursor = {k: v for k, v in found.cursor.items() if k not in ("tries", "pause_until")}
            book.give_back(found, sentence=sentence, cursor=found.cursor if sentence else cursor)


def _pause(services: Services, row: Reconciliation, token: str, error: IntegrationError) -> None:
    """Wait longer after each failure in a row; give up after many."""
    now = services.clock.now()
    with services.db.write() as session:
        found = session.get(Reconciliation, row.id, with_for_update=True)
        if found is None or found.lease_token != token:
            return
        # Each page that was written has dropped the count.
        tries = int(found.cursor.get("tries") or 0) + 1
        if isinstance(error, ServiceError) and holds.current(session, row.connector_id, error.service) is not None:
            holds.hold(session, now, row.connector_id, error, probed=True)
        if tries >= PATIENCE:
            return book.finish(found, now, RunState.FAILED, str(error))
        until = (now + probe_delay(tries - 1, error)).astimezone(UTC).isoformat()
        cursor = {**found.cursor, "tries": tries, "pause_until": until}
        book.give_back(found, sentence=f"It waits and tries again: {error}", cursor=cursor)


def _end(services: Services, row: Reconciliation, token: str, state: RunState, error: str = "") -> None:
    with services.db.write() as session:
        found = session.get(Reconciliation, row.id, with_for_update=True)
        if found is not None and found.lease_token == token:
            book.finish(found, services.clock.now(), state, error)
    book.purge(services)
