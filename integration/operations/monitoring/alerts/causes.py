"""Looks for causes of alerts in the database, and never asks the store or Mautic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.models.drift import Drift, Reconciliation
from integration.models.run import RunState
from integration.operations.monitoring.alerts.finding import PATIENCE, Finding
from integration.operations.monitoring.alerts.reading import no_sync, run_failed
from integration.operations.reconciliation import webhook_gaps
from integration.operations.reconciliation.repairs import REPAIRABLE
from integration.pipeline import usage
from integration.pipeline.connectors import holds
from integration.queries import dead_letters
from integration.settings import Modules


def found(session: Session, now: datetime, connector: Connector, opened: Mapping[str, Alert]) -> list[Finding]:
    """Return what is wrong with a connector now, one finding a cause; `opened` are its open alerts by cause."""
    return list(_look(session, now, connector, opened))


def _look(session: Session, now: datetime, connector: Connector, opened: Mapping[str, Alert]) -> Iterator[Finding]:
    settings = Modules.from_json(connector.settings)
    yield from _held(session, now, connector.id)
    candidates = (
        _failing(session, now, connector.id, settings.alerts.failing_percent, settings.alerts.failing_least),
        no_sync(session, now, connector, settings),
        _dead(session, connector.id, settings.alerts.dead_letters),
        run_failed(session, now, connector.id, opened.get("run_failed")),
        _drift(session, connector.id),
        _gap(session, now, connector.id),
    )
    yield from (one for one in candidates if one is not None)


def _held(session: Session, now: datetime, connector_id: int) -> Iterator[Finding]:
    for hold in holds.open_holds(session, connector_id):
        if now - hold.since >= PATIENCE:
            yield Finding(f"held_{hold.service}", hold.sentence, hold.hint, hold.since)


def _failing(session: Session, now: datetime, connector_id: int, percent: int, least: int) -> Finding | None:
    """The meter counts by whole hours, so this one and the one before it are looked at."""
    sums = usage.since(session, connector_id, now - timedelta(hours=1))
    finished = sums.pushed + sums.skipped + sums.failed
    if finished < least or sums.failed * 100 <= percent * finished:
        return None
    sentence = f"{sums.failed:,} of the last {finished:,} records failed, more than {percent} in a hundred."
    return Finding("failing", sentence, "The dead letters say why; mend it and send them again.")


def _dead(session: Session, connector_id: int, most: int) -> Finding | None:
    number = dead_letters.waiting(session, connector_id)
    if number <= most:
        return None
    who = (
        "1 record has failed for good and waits" if number == 1 else f"{number:,} records have failed for good and wait"
    )
    sentence = f"{who} for a person."
    return Finding("dead_letters", sentence, "Look at the causes, then send them again or discard them.")


def _drift(session: Session, connector_id: int) -> Finding | None:
    ended = Reconciliation.state == RunState.COMPLETED
    query = select(Reconciliation).where(Reconciliation.connector_id == connector_id, ended)
    last = session.scalar(query.order_by(Reconciliation.id.desc()).limit(1))
    number = last.missing + last.doubled + last.differs if last is not None else 0
    if last is None or not number or not _unrepaired(session, last.id):
        return None
    people = "1 person is not the same" if number == 1 else f"{number:,} people are not the same"
    sentence = f"The last reconciliation found that {people} in the store and in Mautic."
    return Finding("drift", sentence, "Look at what differs and repair it.", last.ended_at)


def _unrepaired(session: Session, reconciliation_id: int) -> bool:
    open_ = (Drift.reconciliation_id == reconciliation_id, Drift.kind.in_(REPAIRABLE), Drift.repaired_at.is_(None))
    return bool(session.scalar(select(exists().where(*open_))))


def _gap(session: Session, now: datetime, connector_id: int) -> Finding | None:
    lasting = [gap for gap in webhook_gaps.open_gaps(session, connector_id) if now - gap.noticed_at >= PATIENCE]
    if not lasting:
        return None
    return Finding("webhook_gap", lasting[0].sentence, lasting[0].error, lasting[0].since or lasting[0].noticed_at)
