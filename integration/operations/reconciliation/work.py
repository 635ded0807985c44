"""The clock's side of reconciliation: begins nightly ones, does slices of those that go, gives way to live traffic."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import Held
from integration.errors import IntegrationError
from integration.errors import ServerFault
from integration.errors import ServiceError
from integration.errors import Throttled
from integration.errors import Unreachable
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.drift import Reconciliation
from integration.models.run import RunState
from integration.operations.reconciliation import book
from integration.operations.reconciliation import nightly
from integration.operations.reconciliation import repairs
from integration.operations.reconciliation.walk import Walk
from integration.pipeline import endings
from integration.pipeline import holds
from integration.pipeline.keeper import Keeper
from integration.pipeline.leases import new_token
from integration.pipeline.ports import Ports
from integration.pipeline.retries import probe_delay

log = logging.getLogger(__name__)

#: Seconds that a tick takes for all connectors together: they take turns, and a process that stops is not waited for.
SLICE = 8.0
#: Failed slices in a row before a reconciliation is given up.
PATIENCE = 20
RENEW_EVERY = 20.0


def tick(ports: Ports, *, seconds: float = SLICE) -> int:
    """Begin what is due tonight, repair what was asked for, do one slice of each going reconciliation.

    Return how many slices were done.
    """
    nightly.begin(ports)
    repairs.work(ports)
    share = seconds / max(_going(ports), 1)
    done: list[int] = []
    while (row := _take(ports, token := new_token(), done)) is not None:
        done.append(row.id)
        _slice(ports, row, token, share)
    if not done:
        book.purge(ports)
    return len(done)


def _going(ports: Ports) -> int:
    with ports.db.read() as session:
        return session.scalar(select(func.count()).where(Reconciliation.ended_at.is_(None))) or 0


def _take(ports: Ports, token: str, passed: list[int]) -> Reconciliation | None:
    with ports.db.write() as session:
        row = book.take(session, ports.clock.now(), token, passed)
        session.flush()
        session.expunge_all()
    return row


def _slice(ports: Ports, row: Reconciliation, token: str, seconds: float) -> None:
    """Do one slice; every way it can end is written to the row."""
    with ports.db.read() as session:
        connector = session.get_one(Connector, row.connector_id)
        obstacle = _obstacle(session, connector)
    probing = not obstacle and _probes_store(ports, connector.id)
    obstacle = obstacle or ("" if probing else _store_held(ports, connector.id))
    if row.cancel_asked_at is not None:
        return _end(ports, row, token, RunState.CANCELLED)
    if obstacle:
        return _rest(ports, row, token, obstacle)
    try:
        with Keeper(lambda: _renew(ports, row.id, token), RENEW_EVERY):
            done = Walk(ports, row, token, _patience(ports, row.connector_id, seconds)).go(connector)
        if probing:
            _release_store(ports, connector.id)
        _end(ports, row, token, RunState.COMPLETED) if done else _rest(ports, row, token)
    except book.Cancelled:
        _end(ports, row, token, RunState.CANCELLED)
    except book.Lost:
        log.warning("Reconciliation %d is done by another process now.", row.id)
    except (Unreachable, Throttled, ServerFault, Held) as error:
        _pause(ports, row, token, error)
    except Exception as error:
        _broke_off(ports, row, token, error)


def _broke_off(ports: Ports, row: Reconciliation, token: str, error: Exception) -> None:
    """End it with the cause; a database that was locked or away is waited for like a service."""
    cause = endings.cause_of(error, "The reconciliation")
    if endings.is_passing(error):
        _pause(ports, row, token, cause)
    else:
        _end(ports, row, token, RunState.FAILED, str(cause))


def _renew(ports: Ports, reconciliation_id: int, token: str) -> bool:
    with ports.db.write() as session:
        return book.renew(session, ports.clock.now(), reconciliation_id, token)


def _obstacle(session: Session, connector: Connector) -> str:
    """Return why the comparison has to wait, "" when it can go on."""
    if not connector.store_url or not connector.mautic_url:
        return "It waits: store and Mautic must both be connected first."
    held = holds.current(session, connector.id, "mautic")
    return f"It waits: {held.sentence}" if held else ""


def _probes_store(ports: Ports, connector_id: int) -> bool:
    """Return whether this comparison is the one to see if a held store works again: no run may be coming to do so."""
    with ports.db.write() as session:
        held = holds.current(session, connector_id, "store")
        taken = held is not None and holds.take_probe(session, ports.clock.now(), held)
    if taken:
        ports.breakers.of(connector_id, "store").close()
    return taken


def _store_held(ports: Ports, connector_id: int) -> str:
    with ports.db.read() as session:
        held = holds.current(session, connector_id, "store")
    return f"It waits: {held.sentence}" if held else ""


def _release_store(ports: Ports, connector_id: int) -> None:
    with ports.db.write() as session:
        holds.release(session, ports.clock.now(), connector_id, "store")


def _patience(ports: Ports, connector_id: int, seconds: float) -> Callable[[], bool]:
    """Return what says after a page whether the slice is over: its time is up, or a shopper's change waits."""
    began = time.monotonic()

    def enough() -> bool:
        if time.monotonic() - began >= seconds:
            return True
        with ports.db.read() as session:
            return _live_waits(session, connector_id, ports.clock.now())

    return enough


def _live_waits(session: Session, connector_id: int, now: datetime) -> bool:
    query = select(Delivery.id).where(
        Delivery.connector_id == connector_id,
        Delivery.state == literal_column("'ready'"),
        Delivery.priority == 0,
        Delivery.due_at <= now,
    )
    return session.scalar(query.limit(1)) is not None


def _rest(ports: Ports, row: Reconciliation, token: str, sentence: str = "") -> None:
    with ports.db.write() as session:
        found = session.get(Reconciliation, row.id, with_for_update=True)
        if found is not None and found.lease_token == token:
            cursor = {k: v for k, v in found.cursor.items() if k not in ("tries", "pause_until")}
            book.give_back(found, sentence=sentence, cursor=found.cursor if sentence else cursor)


def _pause(ports: Ports, row: Reconciliation, token: str, error: IntegrationError) -> None:
    """Wait longer after each failure in a row; give up after many."""
    now = ports.clock.now()
    with ports.db.write() as session:
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


def _end(ports: Ports, row: Reconciliation, token: str, state: RunState, error: str = "") -> None:
    with ports.db.write() as session:
        found = session.get(Reconciliation, row.id, with_for_update=True)
        if found is not None and found.lease_token == token:
            book.finish(found, ports.clock.now(), state, error)
    book.purge(ports)
