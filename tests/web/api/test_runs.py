"""Runs by the API: started, followed, cancelled, resumed, and their payload files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from integration.models import AuditEntry, Connector, Run
from integration.models.run import RunState
from integration.pipeline.connectors import fingerprint
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.web.api.conftest import Ask


def test_a_run_is_started_followed_and_cancelled(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    headers = bearer()
    address = f"/api/v1/connectors/{connector_id}/runs"
    made = client.post(address, json={"kind": "bulk", "only": ["orders"], "dry_run": True}, headers=headers)
    options = {"only": ["orders"], "dry_run": True}
    run_id = made.json["run"]
    assert (made.status_code, made.json) == (202, {"run": run_id, "kind": "bulk", "dry_run": True, "options": options})
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
    assert (run.trigger, run.options) == ("API: Robot", {"only": ["orders"], "dry_run": True})
    again = client.post(address, json={"kind": "bulk"}, headers=headers)
    assert (again.status_code, again.json["error"]) == (409, "run_going")
    [row] = client.get(address, headers=headers).json["runs"]
    assert (row["id"], row["dry_run"], row["options"]) == (run_id, True, options)
    short = client.get(f"{address}?correlation={row['correlation_id'][:8]}", headers=headers).json
    assert ([each["id"] for each in short["runs"]], short["total"], short["exact"]) == ([run_id], 1, True)
    assert client.get(f"{address}?correlation=zz", headers=headers).status_code == 422
    with services.db.write() as session:
        run_lifecycle.add_line(session, services.clock.now(), run_id, "One line.")
    lines = client.get(f"/api/v1/runs/{run_id}/lines", headers=headers).json
    assert [line["text"] for line in lines["lines"]] == ["One line."]
    assert client.get(f"/api/v1/runs/{run_id}/lines?after={lines['last']}", headers=headers).json["lines"] == []
    assert client.post(f"/api/v1/runs/{run_id}/cancel", headers=headers).status_code == 202
    assert client.get(f"/api/v1/runs/{run_id}", headers=headers).json["run"]["state"] == "CANCELLED"
    assert audit_of("SYNC_TRIGGERED")[0].actor == "API: Robot"
    ended = client.post(f"/api/v1/runs/{run_id}/cancel", headers=headers)
    assert (ended.status_code, ended.json["error"], len(audit_of("SYNC_CANCELLED"))) == (409, "ended", 1)
    resumed = client.post(f"/api/v1/runs/{run_id}/resume", headers=headers)
    assert (resumed.status_code, resumed.json) == (202, {"run": run_id})
    again = client.post(f"/api/v1/runs/{run_id}/resume", headers=headers)
    assert (again.status_code, again.json["error"], len(audit_of("SYNC_TRIGGERED"))) == (409, "not_ended", 2)


def test_a_run_of_a_store_that_may_be_a_copy_is_refused_unless_it_is_dry(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    address, headers = f"/api/v1/connectors/{connector_id}/runs", bearer()
    run_id = client.post(address, json={"kind": "full"}, headers=headers).json["run"]
    client.post(f"/api/v1/runs/{run_id}/cancel", headers=headers)
    with services.db.write() as session:
        fingerprint.suspect(session.get_one(Connector, connector_id), services.clock.now(), "It moved.")
    said = {"error": "store_changed", "sentence": "The connector is read-only. It moved.", "hint": fingerprint.HINT}
    asked = ((address, {"kind": "initial"}), (f"/api/v1/runs/{run_id}/resume", None))
    for refused in [client.post(url, json=body, headers=headers) for url, body in asked]:
        assert (refused.status_code, refused.json) == (409, said | {"fields": {}})
    assert len(audit_of("SYNC_TRIGGERED")) == 1
    assert client.post(address, json={"kind": "full", "dry_run": True}, headers=headers).status_code == 202


def test_payload_files_are_fetched_with_a_token(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
    file_id = payload_files.store(services, run, "pull", "Page 1", [{"id": 1}])
    address = f"/api/v1/runs/{run_id}/payloads/{file_id}"
    assert client.get(address, headers=bearer("runs")).json == [{"id": 1}]
    assert client.get(address, headers=bearer("logs")).status_code == 403
    assert client.get(address, headers=bearer("runs", organisation=2)).status_code == 404


def test_a_run_that_does_not_go_is_not_paused(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask
) -> None:
    address = f"/api/v1/runs/{run_lifecycle.start(services, connector_id, 'incremental', trigger='test')}"
    refused = client.post(f"{address}/pause", headers=bearer())
    assert (refused.status_code, refused.json["error"]) == (409, "not_pausable")
    assert refused.json["hint"] == "Initial, full and bulk runs that are going can be paused."


@pytest.mark.parametrize("asked", ["cancel", "pause"])
def test_a_run_that_was_asked_to_stop_says_so_until_it_has(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, asked: str
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.lease_token = RunState.RUNNING, "a worker's"
    headers, address = bearer(), f"/api/v1/runs/{run_id}"
    before = client.get(address, headers=headers).json["run"]
    assert (before["being_cancelled"], before["being_paused"]) == (False, False)
    assert client.post(f"{address}/{asked}", headers=headers).status_code == 202
    told = client.get(address, headers=headers).json["run"]
    being = {"cancel": told["being_cancelled"], "pause": told["being_paused"]}
    assert (told["state"], [name for name in being if being[name]]) == ("RUNNING", [asked])
    [row] = client.get(f"/api/v1/connectors/{connector_id}/runs", headers=headers).json["runs"]
    assert row["being_cancelled"] == told["being_cancelled"]
