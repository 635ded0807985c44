"""Overview, the list of connectors, the platform view and the metrics never contradict each other about a connector."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration.clock import SetClock
from integration.errors import Unreachable
from integration.models import Connector, Run, RunState
from integration.operations.monitoring import health, metrics
from integration.pipeline import usage
from integration.pipeline.connectors import connectors, holds
from integration.pipeline.connectors.credentials import both_known
from integration.pipeline.services import Services
from tests.web.conftest import Person, both_have_answered, text_of


def held(services: Services, connector_id: int, clock: SetClock) -> None:
    with services.db.write() as session:
        holds.hold(session, clock.now(), connector_id, Unreachable("mautic", "refused", "It refused.", ""))


def failing(services: Services, connector_id: int, clock: SetClock) -> None:
    with services.db.write() as session:
        usage.record(session, connector_id, clock.now(), pushed=20, failed=20)


def run_failed(services: Services, connector_id: int, clock: SetClock) -> None:
    at: dict[str, Any] = {"created_at": clock.now(), "ended_at": clock.now(), "correlation_id": "c"}
    with services.db.write() as session:
        session.add(Run(connector_id=connector_id, state=RunState.FAILED, kind="initial", trigger="test", **at))
        session.add(Run(connector_id=connector_id, state=RunState.COMPLETED, kind="incremental", trigger="test", **at))


def not_read(services: Services, connector_id: int, clock: SetClock) -> None:
    clock.advance(hours=2)


def paused(services: Services, connector_id: int, clock: SetClock) -> None:
    connectors.pause(services, connector_id)


def without_key(services: Services, connector_id: int, clock: SetClock) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).secrets = None


def well(services: Services, connector_id: int, clock: SetClock) -> None:
    both_have_answered(services, connector_id)


def untested(services: Services, connector_id: int, clock: SetClock) -> None:
    """Leave all as it is."""


CASES = [
    (held, "held"),
    (failing, "failing"),
    (run_failed, "failing"),
    (not_read, "delayed"),
    (paused, "paused"),
    (without_key, "not_set_up"),
    (untested, "untested"),
    (well, "on_time"),
]


@pytest.mark.parametrize(("happens", "code"), CASES, ids=[case[0].__name__ for case in CASES])
def test_all_places_show_one_state(
    super_admin: Person, services: Services, connector_id: int, clock: SetClock, happens: Any, code: str
) -> None:
    happens(services, connector_id, clock)
    label, _ = health.CODES[code]
    assert label in text_of(super_admin.get(f"/connectors/{connector_id}/"))
    for page in ("/connectors", "/platform"):
        assert re.search(rf"Sunflower.*?>{label}<", super_admin.get(page).text, re.DOTALL), page
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        assert health.of(session, clock.now(), connector, connected=both_known(services, connector)).code == code
    text = metrics.text(services, [connector]).decode()
    assert f'woo_mautic_health{{connector="{connector_id}",name="Sunflower",state="{code}"}} 1.0' in text


def test_alerts_and_overview_share_their_thresholds(services: Services, connector_id: int, clock: SetClock) -> None:
    changed = {"alerts.failing_percent": 60, "alerts.failing_least": 5, "alerts.periods": 500}
    both_have_answered(services, connector_id)
    failing(services, connector_id, clock)
    connectors.configure(services, connector_id, changed)
    clock.advance(hours=2)
    with services.db.read() as session:
        assert health.of(session, clock.now(), session.get_one(Connector, connector_id)).code == "on_time"
