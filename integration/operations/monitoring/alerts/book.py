"""The book of alerts: opened, refreshed and ended, with the messages about it, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.operations.monitoring.alerts import notices, silence
from integration.operations.monitoring.alerts.finding import Finding
from integration.operations.monitoring.alerts.notices import Owed
from integration.pipeline.services import Services


@dataclass(frozen=True, slots=True)
class Changes:
    """What findings change in a connector's book; `untold` maps an open alert's id to whom it is to be told."""

    begun: Sequence[Finding]
    reworded: Sequence[tuple[Alert, Finding]]
    ended: Sequence[Alert]
    untold: Mapping[int, Sequence[Owed]]

    @property
    def any(self) -> bool:
        """Return whether there is anything to write."""
        return bool(self.begun or self.reworded or self.ended or any(self.untold.values()))


def open_alerts(session: Session, connector_id: int) -> Sequence[Alert]:
    """Return the alerts of a connector that have not ended, oldest first."""
    query = select(Alert).where(Alert.connector_id == connector_id, Alert.ended_at.is_(None)).order_by(Alert.id)
    return session.scalars(query).all()


def all_open(session: Session) -> Mapping[int, Sequence[Alert]]:
    """Return the same of every connector that has any, by its id."""
    found: dict[int, list[Alert]] = defaultdict(list)
    for alert in session.scalars(select(Alert).where(Alert.ended_at.is_(None)).order_by(Alert.id)):
        found[alert.connector_id].append(alert)
    return found


def history(session: Session, connector_ids: Collection[int], limit: int = 100) -> Sequence[Alert]:
    """Return the newest alerts of these connectors that have ended, newest first."""
    query = select(Alert).where(Alert.connector_id.in_(connector_ids), Alert.ended_at.is_not(None))
    return session.scalars(query.order_by(Alert.id.desc()).limit(limit)).all()


def compare(
    session: Session, now: datetime, connector: Connector, opened: Mapping[str, Alert], findings: Sequence[Finding]
) -> Changes:
    """Return what the findings change, `opened` being the connector's open alerts by cause; nothing is written."""
    found = {finding.cause: finding for finding in findings}
    lasting = [(alert, found[cause]) for cause, alert in opened.items() if cause in found]
    quiet = silence.silent(session, now, connector.id) if lasting else ()
    loud = [alert for alert, _ in lasting if not _is_quiet(alert, quiet)]
    return Changes(
        begun=[one for cause, one in found.items() if cause not in opened and one.opens],
        reworded=[(alert, one) for alert, one in lasting if (alert.sentence, alert.hint) != (one.sentence, one.hint)],
        ended=[alert for cause, alert in opened.items() if cause not in found],
        untold=notices.owed(session, loud, connector) if loud else {},
    )


def write(services: Services, session: Session, connector: Connector, changes: Changes) -> None:
    """Write the changes to alerts and outbox, in the caller's transaction."""
    now = services.clock.now()
    for alert, finding in changes.reworded:
        alert.sentence, alert.hint = finding.sentence, finding.hint
    for alert in changes.ended:
        alert.ended_at = now
        notices.tell_recovered(services, session, alert, connector)
    begun = list(_begun(session, now, connector, changes.begun))
    session.flush()
    _tell(services, session, connector, changes.untold, begun)


def _begun(session: Session, now: datetime, connector: Connector, findings: Sequence[Finding]) -> Iterator[Alert]:
    for finding in findings:
        alert = _flapping(session, now, connector.id, finding.cause)
        if alert is None:
            alert = Alert(connector_id=connector.id, cause=finding.cause, since=finding.since or now)
            session.add(alert)
        else:
            alert.ended_at = None
            notices.take_back_recovered(session, alert)
        alert.sentence, alert.hint = finding.sentence, finding.hint
        yield alert


def _flapping(session: Session, now: datetime, connector_id: int, cause: str) -> Alert | None:
    """Return the last alert of a cause if it ended only just now."""
    query = select(Alert).where(Alert.connector_id == connector_id, Alert.cause == cause).order_by(Alert.id.desc())
    last = session.scalar(query.limit(1))
    just_now = last is not None and last.ended_at is not None and now - last.ended_at < notices.FLAPPING
    return last if just_now else None


def _tell(
    services: Services,
    session: Session,
    connector: Connector,
    untold: Mapping[int, Sequence[Owed]],
    begun: Sequence[Alert],
) -> None:
    quiet = silence.silent(session, services.clock.now(), connector.id)
    loud = [alert for alert in begun if not _is_quiet(alert, quiet)]
    whom = {**untold, **(notices.owed(session, loud, connector) if loud else {})}
    for alert_id, groups in whom.items():
        if groups:
            notices.tell_raised(services, session, session.get_one(Alert, alert_id), connector, groups)


def _is_quiet(alert: Alert, quiet: Collection[str]) -> bool:
    return alert.cause in quiet or silence.EVERY in quiet
