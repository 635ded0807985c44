"""The counters of /metrics never fall: Prometheus would take that for a new beginning and count all of it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.models import Connector, Database, Meter
from integration.models.counts import ALL_BEFORE
from integration.operations import retention
from integration.operations.monitoring import metrics
from integration.operations.retention import deletion
from integration.pipeline import usage
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.pipeline.sync_log import clearing
from tests.conftest import NOON

#: What each hour of the tests counts, of either connector.
HOUR = {name: place for place, name in enumerate(usage.COUNTERS, 1)}
DAYS = (0, 1, 700, 729, 731, 732, 733, 800, 1100, 1101)


@pytest.fixture
def services(db: Database, clock: SetClock, deployment: Deployment) -> Services:
    """Two connectors that did the same on a few days of three years."""
    services = open_services(deployment, database=db, clock=clock)
    for number in (1, 2):
        assert connectors.create(services, organisation_id=1, name=f"Shop {number}") == number
        with db.write() as session:
            for days in DAYS:
                usage.record(session, number, NOON - timedelta(days=days), **HOUR)
    return services


def counters(services: Services) -> dict[tuple[str, str], float]:
    """Return (counter, connector) -> value, as they are given out."""
    with services.db.read() as session:
        asked = session.scalars(select(Connector).order_by(Connector.id)).all()
    families = text_string_to_metric_families(metrics.text(services, asked).decode())
    samples = [sample for family in families for sample in family.samples if sample.name.endswith("_total")]
    return {(sample.name, sample.labels["connector"]): sample.value for sample in samples}


def test_no_counter_falls_while_old_hours_go_and_whenever_they_went(services: Services) -> None:
    before = counters(services)
    assert before["woo_mautic_pulled_total", "1"] == len(DAYS) * HOUR["pulled"]
    seen = []
    for later in (0, 0, 31, 1000):
        now = NOON + timedelta(days=later)
        retention.prune(services, now, batch=2, pause=lambda: seen.append(counters(services)))
        seen.append(counters(services))
    assert len(seen) > 4 and all(each == before for each in seen)
    with services.db.read() as session:
        rows = session.scalars(select(Meter).where(Meter.connector_id == 2)).all()
    assert [(row.hour, row.unproved) for row in rows] == [(ALL_BEFORE, len(DAYS) * HOUR["unproved"])]


def test_what_went_is_shown_on_no_day(services: Services) -> None:
    retention.prune(services, NOON, pause=lambda: None)
    kept = [NOON - timedelta(days=days) for days in sorted(DAYS, reverse=True) if days < 730]
    first = datetime(1, 1, 2, tzinfo=UTC)
    with services.db.read() as session:
        assert [sums.hour for sums in usage.by_hour(session, 1, first, NOON + timedelta(days=1))] == kept
        assert usage.since(session, 1, ALL_BEFORE).pulled == len(kept) * HOUR["pulled"]


def test_no_counter_falls_while_a_connector_is_deleted(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 1)
    before, seen = counters(services), []
    deletion.delete(services, 1, pause=lambda: seen.append(counters(services)))
    assert seen and all(each == before for each in seen)
    assert counters(services) == {key: value for key, value in before.items() if key[1] == "2"}


def test_no_counter_falls_when_the_sync_log_is_cleared(services: Services) -> None:
    before = counters(services)
    clearing.clear(services, 1)
    retention.prune(services, NOON, pause=lambda: None)
    assert counters(services) == before
