"""What is watched from outside: metrics, and whether the application is ready."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from integration.clock import SetClock
from integration.models import Heartbeat
from integration.pipeline.services import Services
from tests.web.api.conftest import Ask
from tests.web.conftest import Settle


def test_metrics_are_those_of_the_organisation(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, record: Settle
) -> None:
    record(7, "dead", error_code="refused", message="No.", category="permanent")
    assert client.get("/metrics").status_code == 401
    mine = client.get("/metrics", headers=bearer("logs")).text
    assert f'woo_mautic_records{{connector="{connector_id}",name="Sunflower",state="dead"}} 1.0' in mine
    assert f'woo_mautic_lag_seconds{{connector="{connector_id}",name="Sunflower"}} 0.0' in mine
    assert "Sunflower" not in client.get("/metrics", headers=bearer("logs", organisation=2)).text


def test_ready_means_database_schema_and_a_worker(
    client: FlaskClient, services: Services, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integration.models import migrate

    monkeypatch.setattr(migrate, "is_newest", lambda session: True)
    assert client.get("/readyz").json == {"status": "ready"}
    clock.advance(minutes=5)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "no worker is running"})
    with services.db.write() as session:
        session.merge(Heartbeat(name="worker@test", role="worker", beat_at=clock.now() - timedelta(seconds=5)))
    monkeypatch.setattr(migrate, "is_newest", lambda session: False)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "the schema is not that of this program"})
    assert client.get("/healthz").status_code == 200
