"""What is wrong with a connector: the rules, and the only place where their thresholds are applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from integration.mapping import own_checks
from integration.models.connector import Connector
from integration.operations.monitoring.health import reading, waiting
from integration.operations.monitoring.health.facts import Facts
from integration.pipeline.connectors import fingerprint, holds
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.settings import Modules


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that is wrong; `since` None means that nobody knows how long.

    `state` is what the connector is for it: read_only, held, failing or delayed. With `opens` False an alert that is
    open stays open, but none is opened: something else that is told already explains it.
    """

    cause: str
    state: str
    sentence: str
    hint: str = ""
    since: datetime | None = None
    opens: bool = True
    next_probe: datetime | None = None


def symptoms(
    session: Session,
    now: datetime,
    connector: Connector,
    settings: Modules,
    facts: Facts,
    failed_since: datetime | None = None,
) -> Iterator[Symptom]:
    """Yield what is wrong by a connector's facts, the gravest first. Neither the store nor Mautic is asked.

    `failed_since` is since when an alert about a failed run is open: that run is looked for however long ago it was.
    """
    yield from _in_doubt(connector)
    yield from _held(session, connector.id) if facts.held else ()
    # Each is asked when it is its turn: whoever wants the gravest alone leaves the others unread.
    rules: tuple[Callable[[], Symptom | None], ...] = (
        lambda: _failing(facts, settings),
        lambda: _run_failed(session, now, connector.id, facts, failed_since),
        lambda: _sent_nothing(session, connector.id) if facts.sent_nothing else None,
        lambda: _late(facts.lag_s),
        lambda: _stalled(session, now, connector.id) if facts.waits else None,
        lambda: _not_read(session, now, connector, settings, facts),
        lambda: _mapping_lost(connector, settings),
    )
    yield from (found for rule in rules if (found := rule()) is not None)


def _in_doubt(connector: Connector) -> Iterator[Symptom]:
    """Yield that the store may be another one, until somebody has said what it is."""
    found = fingerprint.doubt(connector)
    if found and not found.get("copy"):
        since = datetime.fromisoformat(found["at"])
        yield Symptom("store_changed", "read_only", fingerprint.sentence(connector), fingerprint.HINT, since)


def _held(session: Session, connector_id: int) -> Iterator[Symptom]:
    for hold in holds.open_holds(session, connector_id):
        cause = f"held_{hold.service}"
        yield Symptom(cause, "held", hold.sentence, hold.hint, hold.since, next_probe=hold.probe_at)


def _failing(facts: Facts, settings: Modules) -> Symptom | None:
    percent, least = settings.alerts.failing_percent, settings.alerts.failing_least
    if facts.finished < least or facts.failed * 100 <= percent * facts.finished:
        return None
    sentence = f"{facts.failed:,} of the last {facts.finished:,} records failed, more than {percent} in a hundred."
    return Symptom("failing", "failing", sentence, "The dead letters say why; mend it and send them again.")


def _run_failed(
    session: Session, now: datetime, connector_id: int, facts: Facts, since: datetime | None
) -> Symptom | None:
    asked = facts.run_failed or since is not None
    run = reading.failed_run(session, now, connector_id, since) if asked else None
    if run is None:
        return None
    sentence = f"The last {run.kind} run failed: {run.error or 'nobody knows why.'}"
    return Symptom("run_failed", "failing", sentence, "Resume it on its page, or start a new one.", run.ended_at)


def _sent_nothing(session: Session, connector_id: int) -> Symptom | None:
    run = reading.newest(session, connector_id)
    if run is None or not run.sent_nothing:
        return None
    sentence = f"The last run read {run.pulled:,} records and sent none."
    return Symptom("sent_nothing", "failing", sentence, "Look at what Contact Sync and Order Sync let through.")


def _late(seconds: int) -> Symptom | None:
    if seconds <= waiting.LATE.total_seconds():
        return None
    sentence = f"What shoppers did {seconds // 60:,} minutes ago has not reached Mautic yet."
    return Symptom("late", "delayed", sentence, "Look at the runs and at the worker.")


def _stalled(session: Session, now: datetime, connector_id: int) -> Symptom | None:
    number = waiting.stalled(session, now, connector_id)
    if not number:
        return None
    minutes = int(waiting.STALLED.total_seconds()) // 60
    sentence = f"Mautic has confirmed nothing for {minutes} minutes and more, while {number:,} people's records wait."
    return Symptom("stalled", "delayed", sentence, "Look at the worker and at Mautic's load.")


def _mapping_lost(connector: Connector, settings: Modules) -> Symptom | None:
    """Tell of fields of own mapping rows that Mautic lost or changed, as the last list of its fields has them."""
    found = own_checks.lost(settings, fields_from_json(connector.fields or [])) if settings.mapping.rows else []
    if not found:
        return None
    more = f" So have {len(found) - 1} more." if len(found) > 1 else ""
    sentence = f"A mapped field has changed in Mautic: {found[0]}{more}"
    return Symptom("mapping_lost", "failing", sentence, "Look at Field mapping; what does not fit is left out.")


def _not_read(session: Session, now: datetime, connector: Connector, settings: Modules, facts: Facts) -> Symptom | None:
    found = reading.not_read(session, now, connector, settings.alerts.periods, facts)
    if found is None:
        return None
    sentence = f"No sync has ended well for more than {settings.alerts.periods:,} periods of its schedule."
    hint = "Look at the runs: the last one says what stopped it."
    return Symptom("no_sync", "delayed", sentence, hint, found.since, opens=not found.explained)
