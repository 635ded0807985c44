"""Webhook gaps (X6): webhooks that are missing, disabled or silent are noticed, healed, and what they missed is read.

A silent webhook shows by what polling finds: orders that a webhook should have brought long before.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.errors import NotNow
from integration.events import Origin
from integration.models.audit import AuditAction
from integration.models.connector import Connector, ConnectorState
from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.drift import Gap
from integration.models.run import Run, RunKind
from integration.operations import audit
from integration.operations.reconciliation.webhook_symptoms import WINDOW, Symptom, look, ours, silent
from integration.pipeline.connectors import holds, webhook_registration
from integration.pipeline.leases import endings
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.store import webhooks
from integration.store.client import StoreClient

log = logging.getLogger(__name__)

#: At most one attempt to heal a cause in this time: what breaks again at once needs a person.
TRY_EVERY = timedelta(hours=1)
#: So long after it was healed a gap's records are counted.
COUNTED = timedelta(days=1)
ACTOR = "gap healer"
_PAUSED = (
    "Somebody has paused them, so they are left alone: set them to active under WooCommerce, Settings, Advanced, "
    "Webhooks, or register them again on the Connection page."
)


def tick(services: Services) -> int:
    """Look at every active connector whose webhooks we have set up and return how many were looked at."""
    query = select(Connector).where(Connector.state == ConnectorState.ACTIVE, Connector.store_url != "")
    with services.db.read() as session:
        connectors = [each for each in session.scalars(query).all() if _watched(services, session, each)]
    for connector in connectors:
        _look(services, connector)
    return len(connectors)


def _look(services: Services, connector: Connector) -> None:
    """Look at one connector's webhooks; what goes wrong with one must not keep the others from being looked at."""
    try:
        check(services, connector)
    except Exception as error:
        # The hold and the diagnostics tell of it; a gap is about webhooks only.
        cause = endings.cause_of(error, "The look at the webhooks")
        log.info("The webhooks of connector %d could not be looked at: %s", connector.id, cause)
    try:
        _follow(services, connector)
    except Exception as error:
        endings.cause_of(error, "Reading what the webhooks missed")


def _watched(services: Services, session: Session, connector: Connector) -> bool:
    wanted = bool(connector.webhook_ids) and services.modules(connector).sync.webhooks
    return wanted and holds.current(session, connector.id, "store") is None


def check(services: Services, connector: Connector) -> list[Symptom]:
    """Look at one connector's webhooks, heal what can be healed, and return what was wrong.

    Raises ServiceError when the store's list cannot be read.
    """
    client = services.open_store(connector, obeys=True)
    rows = webhooks.every(client)
    url = webhook_registration.delivery_url(services, connector)
    found = look(connector.webhook_ids, rows, url)
    if not found:
        with services.db.read() as session:
            found = silent(session, services.clock.now(), connector, ours(rows, url))
    for gap_id in _noticed(services, connector, found):
        _heal(services, connector, client, rows, gap_id)
    return found


# -- the rows ---------------------------------------------------------------------------------------------------------


def open_gaps(session: Session, connector_id: int) -> Sequence[Gap]:
    """Return the gaps that are not healed, oldest first."""
    query = select(Gap).where(Gap.connector_id == connector_id, Gap.healed_at.is_(None)).order_by(Gap.id)
    return session.scalars(query).all()


def recent(session: Session, connector_id: int, limit: int = 10) -> Sequence[Gap]:
    """Return the newest gaps of a connector, newest first."""
    query = select(Gap).where(Gap.connector_id == connector_id).order_by(Gap.id.desc())
    return session.scalars(query.limit(limit)).all()


def _noticed(services: Services, connector: Connector, found: Sequence[Symptom]) -> list[int]:
    """Write what was found, end what is over, and return the gaps that this process may heal now."""
    now = services.clock.now()
    with services.db.write() as session:
        lock_connector(session, connector.id)
        _end_others(session, now, connector.id, {each.cause for each in found})
        gaps = [_gap(session, now, connector, each) for each in found]
        session.flush()
        return [gap.id for gap in gaps if gap is not None]


def _end_others(session: Session, now: datetime, connector_id: int, causes: set[str]) -> None:
    """End the gaps that somebody else has healed; silence only ends when a webhook comes or we heal it."""
    latest = session.get_one(Connector, connector_id).last_webhook_at
    for gap in open_gaps(session, connector_id):
        over = gap.cause not in causes
        if over and (gap.cause != "silent" or (latest is not None and latest > gap.noticed_at)):
            gap.healed_at, gap.error = now, ""


def _gap(session: Session, now: datetime, connector: Connector, symptom: Symptom) -> Gap | None:
    """Return the gap to be healed now, None when it was tried lately or is not to be healed."""
    query = select(Gap).where(Gap.connector_id == connector.id, Gap.cause == symptom.cause).order_by(Gap.id.desc())
    last = session.scalar(query.limit(1))
    if last is not None and last.healed_at is None:
        last.topics, last.sentence = list(symptom.topics), symptom.sentence
    elif last is None or last.tried_at is None or now - last.tried_at >= TRY_EVERY:
        last = Gap(
            connector_id=connector.id,
            cause=symptom.cause,
            topics=list(symptom.topics),
            sentence=symptom.sentence,
            since=connector.last_webhook_at,
            noticed_at=now,
        )
        session.add(last)
    if not symptom.heals:
        last.error = last.error or _PAUSED
    lately = last.tried_at is not None and now - last.tried_at < TRY_EVERY
    if lately or not symptom.heals or last.healed_at is not None:
        return None
    last.tried_at = now
    return last


# -- healing ----------------------------------------------------------------------------------------------------------


def _heal(
    services: Services, connector: Connector, client: StoreClient, rows: Sequence[Mapping[str, Any]], gap_id: int
) -> None:
    """Register the webhooks again and read what they missed; why that failed is written to the gap."""
    failure = ""
    try:
        webhook_registration.register(services, connector.id)
        _remove_strays(services, connector, client, rows)
    except Exception as error:
        failure = f"It could not be healed: {endings.cause_of(error, 'The healing')}"
    now = services.clock.now()
    with services.db.write() as session:
        gap = session.get_one(Gap, gap_id)
        gap.error, gap.healed_at = failure, None if failure else now
        if not failure:
            _record(session, now, connector, gap)


def _remove_strays(
    services: Services, connector: Connector, client: StoreClient, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Remove the webhooks of ours that deliver to an address where we no longer are."""
    there = {row.get("id") for row in ours(rows, webhook_registration.delivery_url(services, connector))}
    for row in rows:
        if row.get("id") in set(connector.webhook_ids.values()) - there:
            client.delete(f"webhooks/{row['id']}", {"force": True})


def _record(session: Session, now: datetime, connector: Connector, gap: Gap) -> None:
    audit.record(
        session,
        clock_now=now,
        organisation_id=connector.organisation_id,
        connector_id=connector.id,
        actor=ACTOR,
        action=AuditAction.WEBHOOKS_CHANGED,
        entity="webhooks healed",
        diff={str(topic): [gap.cause, "active"] for topic in gap.topics},
    )


def _follow(services: Services, connector: Connector) -> None:
    """Start the run that reads what healed gaps missed, and count what it saved when it has ended."""
    now = services.clock.now()
    query = select(Gap).where(Gap.connector_id == connector.id, Gap.healed_at >= now - COUNTED)
    with services.db.read() as session:
        gaps = session.scalars(query).all()
    if any(gap.run_id is None for gap in gaps):
        try:
            run_id = run_lifecycle.start(services, connector.id, RunKind.INCREMENTAL, trigger=ACTOR)
        except NotNow:
            return
        with services.db.write() as session:
            for gap in session.scalars(query.where(Gap.run_id.is_(None))):
                gap.run_id = run_id
        return
    with services.db.write() as session:
        for gap in session.scalars(query):
            gap.saved = _saved(session, gap)


def _saved(session: Session, gap: Gap) -> int:
    """Return how many records polling brought from the beginning of the gap to the end of its run."""
    run = session.get(Run, gap.run_id)
    if run is None or run.ended_at is None:
        return gap.saved
    query = select(func.count()).where(
        Delivery.connector_id == gap.connector_id,
        Delivery.origin == Origin.POLL,
        Delivery.created_at >= (gap.since or gap.noticed_at - WINDOW),
        Delivery.created_at <= run.ended_at,
    )
    return session.scalar(query) or 0
