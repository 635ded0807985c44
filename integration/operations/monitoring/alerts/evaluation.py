"""Looks at every connector by the clock: opens and ends alerts, and writes the summaries that are due.

Any number of processes may do so: what is written is compared once more under the connector's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.models.schedule import Heartbeat
from integration.operations.monitoring.alerts import book, causes, digest
from integration.operations.monitoring.alerts.book import Changes
from integration.operations.monitoring.alerts.finding import TOLD_AFTER, Finding
from integration.pipeline.disk import MAKE_ROOM
from integration.pipeline.services import Services

#: Heartbeats of either say that work is being done: inside the web process, or in processes of its own.
_ROLES = ("embedded", "worker")
_START = "Start one with “woo-mautic worker”, or restart the application. Work that waits is kept and is sent then."


@dataclass(frozen=True, slots=True)
class Common:
    """What is the same for all connectors: each organisation's first one, which stands for all, and the disk."""

    first: Mapping[int, int]
    disk: Sequence[Finding]


def evaluate(services: Services) -> int:
    """Look at all connectors once and return for how many something changed; raises what the database raises."""
    now = services.clock.now()
    disk = _disk(services)
    with services.db.read() as session:
        connectors = session.scalars(select(Connector).order_by(Connector.id)).all()
        common = Common(_first(connectors), disk)
        due = [each.id for each in connectors if _changes(session, now, each, common).any]
    for connector_id in due:
        _write(services, connector_id, common)
    digest.write_due(services)
    return len(due)


def _write(services: Services, connector_id: int, common: Common) -> None:
    with services.db.write() as session:
        lock_connector(session, connector_id)
        connector = session.get(Connector, connector_id)
        if connector is not None:
            changes = _changes(session, services.clock.now(), connector, common)
            book.write(services, session, connector, changes)


def _disk(services: Services) -> list[Finding]:
    """Return what is wrong with the disk of this process, which the database does not know."""
    fault, shortage = services.disk.look(), services.disk.shortage()
    full = [Finding("disk_full", fault.sentence, fault.hint)] if fault is not None else []
    # Once it is full, nobody needs to hear that it nearly is.
    return full + ([Finding("disk_low", shortage, MAKE_ROOM, opens=not full)] if shortage else [])


def _first(connectors: Sequence[Connector]) -> dict[int, int]:
    """Return each organisation's first connector that is set up: it stands for all where there is no worker."""
    ready = [each for each in connectors if each.store_url and each.mautic_url]
    return {each.organisation_id: each.id for each in reversed(ready)}


def _changes(session: Session, now: datetime, connector: Connector, common: Common) -> Changes:
    opened = {alert.cause: alert for alert in book.open_alerts(session, connector.id)}
    findings = causes.found(session, now, connector, opened)
    down = _worker_down(session, now, connector)
    if down is not None:
        # Without a worker nothing is read, so that needs no message of its own.
        findings = [one if one.cause != "no_sync" else _kept(one) for one in findings]
    if common.first.get(connector.organisation_id) == connector.id:
        findings += [*([down] if down is not None else []), *common.disk]
    return book.compare(session, now, connector, findings)


def _kept(finding: Finding) -> Finding:
    return Finding(finding.cause, finding.sentence, finding.hint, finding.since, opens=False)


def _worker_down(session: Session, now: datetime, connector: Connector) -> Finding | None:
    last = session.scalar(select(func.max(Heartbeat.beat_at)).where(Heartbeat.role.in_(_ROLES)))
    since = last or connector.created_at
    if now - since < TOLD_AFTER:
        return None
    return Finding("worker_down", "No process does the work, so nothing is read and nothing is sent.", _START, since)
