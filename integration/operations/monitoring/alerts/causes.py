"""Looks for causes of alerts in the database, and never asks the store or Mautic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from integration import certificates
from integration.certificates import Certificate
from integration.http.errors import PASTE_AT
from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.models.drift import Drift, Reconciliation
from integration.models.run import RunState
from integration.operations.monitoring import health
from integration.operations.monitoring.alerts.finding import CAUSES, TOLD_AFTER, Finding
from integration.operations.monitoring.health import Facts
from integration.operations.reconciliation import webhook_gaps
from integration.operations.reconciliation.repairs import REPAIRABLE
from integration.queries import dead_letters
from integration.settings import Modules
from integration.words import counted


def found(
    session: Session, now: datetime, connector: Connector, facts: Facts, opened: Mapping[str, Alert]
) -> list[Finding]:
    """Return what is wrong with a connector now, one finding a cause; `opened` are its open alerts by cause."""
    return list(_look(session, now, connector, facts, opened))


def _look(
    session: Session, now: datetime, connector: Connector, facts: Facts, opened: Mapping[str, Alert]
) -> Iterator[Finding]:
    settings = Modules.from_json(connector.settings)
    failed = opened.get("run_failed")
    for symptom in health.symptoms(session, now, connector, settings, facts, failed.since if failed else None):
        if symptom.cause in CAUSES and not _may_pass(symptom, now):
            yield Finding(symptom.cause, symptom.sentence, symptom.hint, symptom.since, symptom.opens)
    candidates = (
        _dead(session, connector.id, settings.alerts.dead_letters) if facts.has_dead else None,
        _drift(session, connector.id) if facts.differs else None,
        _gap(session, now, connector.id) if facts.has_gap else None,
        _authority(now, connector),
    )
    yield from (one for one in candidates if one is not None)


def _may_pass(symptom: health.Symptom, now: datetime) -> bool:
    """Tell whether a hold is so young that it may go by itself."""
    return symptom.state == "held" and symptom.since is not None and now - symptom.since < TOLD_AFTER


def _dead(session: Session, connector_id: int, most: int) -> Finding | None:
    number = dead_letters.waiting(session, connector_id)
    if number <= most:
        return None
    who = counted(number, "record has failed for good and waits", "records have failed for good and wait")
    sentence = f"{who} for a person."
    return Finding("dead_letters", sentence, "Look at the causes, then send them again or discard them.")


def _drift(session: Session, connector_id: int) -> Finding | None:
    ended = Reconciliation.state == RunState.COMPLETED
    query = select(Reconciliation).where(Reconciliation.connector_id == connector_id, ended)
    last = session.scalar(query.order_by(Reconciliation.id.desc()).limit(1))
    number = last.missing + last.doubled + last.differs if last is not None else 0
    if last is None or not number or not _unrepaired(session, last.id):
        return None
    people = counted(number, "person is not the same", "people are not the same")
    sentence = f"The last reconciliation found that {people} in the store and in Mautic."
    return Finding("drift", sentence, "Look at what differs and repair it.", last.ended_at)


def _unrepaired(session: Session, reconciliation_id: int) -> bool:
    open_ = (Drift.reconciliation_id == reconciliation_id, Drift.kind.in_(REPAIRABLE), Drift.repaired_at.is_(None))
    return bool(session.scalar(select(exists().where(*open_))))


def _gap(session: Session, now: datetime, connector_id: int) -> Finding | None:
    lasting = [gap for gap in webhook_gaps.open_gaps(session, connector_id) if now - gap.noticed_at >= TOLD_AFTER]
    if not lasting:
        return None
    return Finding("webhook_gap", lasting[0].sentence, lasting[0].error, lasting[0].since or lasting[0].noticed_at)


def _authority(now: datetime, connector: Connector) -> Finding | None:
    """Return that an authority ends within the month, or has ended: from then on its side cannot be reached."""
    said = [
        f"The authority “{last.subject}”, by which {name} is trusted, {_until(last, now)}."
        for name, kept in (("the store", connector.store_ca), ("Mautic", connector.mautic_ca))
        if (last := certificates.ending(certificates.stored(kept), now)) is not None
    ]
    if not said:
        return None
    hint = f"Ask whoever runs it for the next certificate, and paste it {PASTE_AT}."
    return Finding("authority_ends", " ".join(said), hint)


def _until(last: Certificate, now: datetime) -> str:
    return f"{'ended on' if now > last.ends else 'is valid until'} {certificates.day(last.ends)}"
