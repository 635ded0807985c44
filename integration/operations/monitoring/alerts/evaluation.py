"""Looks at every connector by the clock: opens and ends alerts, and writes the summaries that are due.

One process at a time is enough (engines.watch), and any number may: what is written is compared once more under the
connector's lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.operations.monitoring import health, heartbeat
from integration.operations.monitoring.alerts import book, causes, digest, disks
from integration.operations.monitoring.alerts.book import Changes
from integration.operations.monitoring.alerts.finding import TOLD_AFTER, Finding
from integration.operations.monitoring.health import Facts
from integration.operations.monitoring.heartbeat import WORKING_ROLES
from integration.pipeline.services import Services

_START = "Start one with “woo-mautic worker”, or restart the application. Work that waits is kept and is sent then."


@dataclass(frozen=True, slots=True)
class Common:
    """What is the same for all connectors: each organisation's first one, which stands for all, and what concerns all.

    `last_beat` is when a process that works was last alive, None when none ever was.
    """

    first: Mapping[int, int]
    disk: Sequence[Finding]
    last_beat: datetime | None


def evaluate(services: Services) -> int:
    """Look at all connectors once and return for how many something changed; raises what the database raises."""
    now = services.clock.now()
    own = disks.look(services)
    with services.db.read() as session:
        connectors = session.scalars(select(Connector).order_by(Connector.id)).all()
        last_beat = heartbeat.last_beat(session, *WORKING_ROLES)
        common = Common(_first(connectors), disks.found(session, now, own), last_beat)
        due = list(_due(session, now, connectors, common))
    for connector_id in due:
        _write(services, connector_id, common)
    digest.write_due(services)
    return len(due)


def _due(session: Session, now: datetime, connectors: Sequence[Connector], common: Common) -> Iterator[int]:
    """Yield the connectors of which something is to be written."""
    opened = book.all_open(session)
    facts = health.facts.many(session, now, [each.id for each in connectors])
    for each in connectors:
        if _changes(session, now, each, facts[each.id], opened.get(each.id, ()), common).any:
            yield each.id


def _write(services: Services, connector_id: int, common: Common) -> None:
    with services.db.write() as session:
        lock_connector(session, connector_id)
        connector = session.get(Connector, connector_id)
        if connector is not None:
            now, opened = services.clock.now(), book.open_alerts(session, connector_id)
            facts = health.facts.of(session, now, connector_id)
            # It may have been waited for: what has beaten since then is alive.
            anew = replace(common, last_beat=heartbeat.last_beat(session, *WORKING_ROLES))
            changes = _changes(session, now, connector, facts, opened, anew)
            book.write(services, session, connector, changes)


def _first(connectors: Sequence[Connector]) -> dict[int, int]:
    """Return each organisation's first connector that is set up: it stands for all where there is no worker."""
    ready = [each for each in connectors if each.store_url and each.mautic_url]
    return {each.organisation_id: each.id for each in reversed(ready)}


def _changes(
    session: Session,
    now: datetime,
    connector: Connector,
    facts: Facts,
    open_alerts: Sequence[Alert],
    common: Common,
) -> Changes:
    opened = {alert.cause: alert for alert in open_alerts}
    findings = causes.found(session, now, connector, facts, opened)
    down = _worker_down(now, connector, common.last_beat)
    if down is not None:
        # Without a worker nothing is read, so that needs no message of its own.
        findings = [one if one.cause != "no_sync" else _kept(one) for one in findings]
    if common.first.get(connector.organisation_id) == connector.id:
        findings += [*([down] if down is not None else []), *common.disk]
    return book.compare(session, now, connector, opened, findings)


def _kept(finding: Finding) -> Finding:
    return Finding(finding.cause, finding.sentence, finding.hint, finding.since, opens=False)


def _worker_down(now: datetime, connector: Connector, last_beat: datetime | None) -> Finding | None:
    since = last_beat or connector.created_at
    if now - since < TOLD_AFTER:
        return None
    return Finding("worker_down", "No process does the work, so nothing is read and nothing is sent.", _START, since)
