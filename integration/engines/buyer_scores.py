"""RFM classes: begun once a night by the store's own clock, and carried on page by page until they are done (X14)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from integration.engines.schedule import take_turn
from integration.models.connector import Connector, ConnectorState
from integration.operations.scoring import computing
from integration.operations.scoring.report import Report
from integration.operations.scoring.schedule import JOB, PAGES
from integration.pipeline.connectors import schedule_times
from integration.pipeline.services import Services

#: How often it is looked whose night has come, and who waits for room on the way to Mautic.
LOOK_EVERY_S = 60
#: So long a process that carries on is left alone by the others.
PAGES_EVERY = timedelta(seconds=LOOK_EVERY_S - 10)
NIGHTLY = "0 3 * * *"


def tick(services: Services) -> int:
    """Begin what is due and carry on what is going, of active connectors with RFM on; return how many were carried on.

    Connectors whose first import is not done yet are left alone: their buyers are not all known.
    """
    now = services.clock.now()
    query = select(Connector).where(
        Connector.state == ConnectorState.ACTIVE, Connector.mautic_url != "", Connector.initial_done_at.is_not(None)
    )
    with services.db.read() as session:
        wanted = [each for each in session.scalars(query) if computing.is_on(services.modules(each))]
    return sum(_work(services, each, now) for each in wanted)


def _work(services: Services, connector: Connector, now: datetime) -> bool:
    report = Report.of(connector.score_report)
    if take_turn(services, connector.id, JOB, _until_night(connector, now), now):
        report = computing.begin(services, connector.id)
    if report is None or not report.going or not take_turn(services, connector.id, PAGES, PAGES_EVERY, now):
        return False
    computing.go_on(services, connector.id)
    return True


def _until_night(connector: Connector, now: datetime) -> timedelta:
    return schedule_times.following(now, 0, NIGHTLY, schedule_times.zone_of(connector)) - now
