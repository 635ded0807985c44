"""The API for machines: tokens and their scopes, errors as JSON, runs, records, sending again, metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integration.clock import SetClock
from integration.models import ApiToken, AuditEntry, Delivery, Heartbeat, Run
from integration.operations.identity import tokens
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.services import Services
from tests.web.conftest import Settle

Ask = Callable[..., Any]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(services: Services) -> Callable[..., dict[str, str]]:
    """Makes the header of a token of an organisation with some scopes."""

    names = (f"Robot {number}" if number else "Robot" for number in range(99))

    def make(*scopes: str, organisation: int = 1) -> dict[str, str]:
        made = tokens.make(services, organisation, next(names), scopes or list(tokens.SCOPES), "admin@example.com")
        return {"Authorization": f"Bearer {made.secret}"}

    return make


def test_without_a_good_token_there_is_an_answer_in_json(client: FlaskClient, services: Services, bearer: Ask) -> None:
    for headers in ({}, {"Authorization": "Bearer wm_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = client.get("/api/v1/connectors", headers=headers)
        assert (answer.status_code, answer.json["error"]) == (401, "token")
    good = bearer("runs")
    answer = client.get("/api/v1/connectors", headers=good)
    assert (answer.status_code, answer.json["error"]) == (403, "scope")


def test_revoked_and_expired_tokens_are_refused(
    client: FlaskClient, services: Services, bearer: Ask, clock: SetClock
) -> None:
    made = tokens.make(services, 1, "Short", ["logs"], "me", days=1)
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert client.get("/api/v1/connectors", headers=headers).status_code == 200
    clock.advance(hours=25)
    assert client.get("/api/v1/connectors", headers=headers).status_code == 401
    headers = bearer("logs")
    with services.db.write() as session:
        for row in session.query(ApiToken):
            assert row.token_hash not in str(headers)
            tokens.revoke(session, row, clock.now())
    assert client.get("/api/v1/connectors", headers=headers).status_code == 401


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


@pytest.mark.parametrize(
    ("body", "name", "status"),
    [
        ({"kind": "odd"}, "kind", 422),
        ({"kind": "bulk", "since": "soon"}, "since", 422),
        ({"kind": "bulk", "since": "0001-01-01T00:00:00"}, "since", 422),
        ({"kind": "bulk", "until": "9999-12-31T00:00:00Z"}, "until", 422),
        ({"kind": "bulk", "ids": ["x"]}, "ids", 422),
        ({"kind": "bulk", "only": ["orders"], "ids": []}, "ids", 422),
        ({"kind": "bulk", "only": ["orders"], "ids": "602"}, "ids", 422),
        ({"kind": "bulk", "only": ["orders"], "ids": 5}, "ids", 422),
        ({"kind": "bulk", "only": ["orders"], "ids": [True]}, "ids", 422),
        ({"kind": "bulk", "only": ["orders"], "ids": [2**64]}, "ids", 422),
        ({"kind": "bulk", "only": []}, "only", 422),
        ({"kind": "bulk", "statuses": [5]}, "statuses", 422),
        ({"kind": "bulk", "dryrun": True}, "dryrun", 422),
        ({"kind": "bulk", "dry_run": "yes"}, "dry_run", 422),
        ([], "body", 400),
        ("text", "body", 400),
    ],
)
def test_bad_input_names_its_field_and_starts_nothing(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, body: Any, name: str, status: int
) -> None:
    answer = client.post(f"/api/v1/connectors/{connector_id}/runs", json=body, headers=bearer())
    assert (answer.status_code, answer.json["error"]) == (status, name)
    with services.db.read() as session:
        assert run_progress.latest(session, connector_id) is None


@pytest.mark.parametrize("path", ["log", "records", "runs", "dead-letters"])
@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ("kind=odd&type=odd&category=odd&state=odd", []),
        ("statsu=dead", ["statsu"]),
        ("bogus=", ["bogus"]),
        ("connector_id=2&text=a", ["connector_id"]),
        ("page=-1&size=3&limit=3&before=x", []),
        ("since=soon&until=2026-11-20", ["since"]),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    client: FlaskClient, connector_id: int, bearer: Ask, path: str, asked: str, fields: list[str]
) -> None:
    answer = client.get(f"/api/v1/connectors/{connector_id}/{path}?{asked}", headers=bearer())
    assert answer.status_code == 422
    assert set(fields) <= set(answer.json["fields"])
    assert answer.json["error"] in answer.json["fields"]
    assert answer.json["hint"].startswith("The filters are ")


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("get", "nothing", 404, "not_found"),
        ("get", "connectors/abc/log", 404, "not_found"),
        ("get", "connectors/-1/log", 404, "not_found"),
        ("delete", "connectors/1/runs", 405, "method_not_allowed"),
        ("get", "connectors?bogus=1", 422, "bogus"),
        ("get", "runs/1/lines?after=x", 422, "after"),
        ("get", "runs/1/lines?level=odd", 422, "level"),
    ],
)
def test_every_error_is_json(client: FlaskClient, bearer: Ask, method: str, path: str, status: int, error: str) -> None:
    answer = client.open(f"/api/v1/{path}", method=method.upper(), headers=bearer())
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.json["sentence"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff", b""])
def test_a_body_that_cannot_be_read_is_answered_in_json(
    client: FlaskClient, connector_id: int, bearer: Ask, body: bytes
) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    for path in ("runs", "replay"):
        answer = client.post(f"/api/v1/connectors/{connector_id}/{path}", data=body, headers=headers)
        assert (answer.status_code, answer.json["error"]) == (400, "body")


def test_a_fault_of_our_own_is_answered_in_json(
    client: FlaskClient, bearer: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    headers = bearer()
    monkeypatch.setattr("integration.web.machines.authentication.connectors_of_token", fail)
    answer = client.get("/api/v1/connectors", headers=headers)
    assert (answer.status_code, answer.json["error"]) == (500, "internal_server_error")


@pytest.mark.parametrize(
    ("ids", "said"),
    [("602", "list of numbers"), (5, "list of numbers"), ([2**63], "is no id"), ([], "not empty"), ([0] * 501, "500")],
)
def test_replay_says_what_is_wrong_with_ids(
    client: FlaskClient, connector_id: int, bearer: Ask, ids: Any, said: str
) -> None:
    answer = client.post(f"/api/v1/connectors/{connector_id}/replay", json={"ids": ids}, headers=bearer())
    assert answer.status_code == 422
    assert said in answer.json["fields"]["ids"]


@pytest.mark.parametrize(
    "raw", ["[" * 100_000, '{"a":' * 100_000, "{", "", "\xff"], ids=["lists", "maps", "cut", "none", "bytes"]
)
def test_a_body_that_cannot_be_read_is_refused_whatever_it_is(
    client: FlaskClient, connector_id: int, bearer: Ask, raw: str
) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    answer = client.post(f"/api/v1/connectors/{connector_id}/runs", data=raw.encode("latin-1"), headers=headers)
    assert (answer.status_code, answer.json["error"]) == (400, "body")


def test_records_log_and_dead_letters_are_read_and_sent_again(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, record: Settle
) -> None:
    headers = bearer()
    key = record(7, "dead", error_code="refused", message="No.", category="permanent")
    base = f"/api/v1/connectors/{connector_id}"
    found = client.get(f"{base}/records?status=failed", headers=headers).json
    assert [row["source_id"] for row in found["records"]] == ["7"]
    assert found["notices"] == []
    assert client.get(f"{base}/log", headers=headers).json["entries"] == []
    assert client.get(f"{base}/dead-letters", headers=headers).json["dead_letters"][0]["category"] == "permanent"
    assert client.post(f"{base}/replay", json={"ids": "all"}, headers=headers).status_code == 422
    came = client.post(f"{base}/replay", json={"ids": [key, 999]}, headers=headers)
    assert came.json == {"queued": 1, "busy": 0, "gone": 1}
    with services.db.read() as session:
        assert session.get_one(Delivery, key).state == "ready"


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
    assert client.get("/readyz").status_code == 503


def test_whoever_calls_too_often_leaves_no_token_in_the_log(
    app: Flask, make_app: Callable[..., Flask], bearer: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    headers = bearer()
    client = make_app(ratelimit=True).test_client()
    caplog.set_level("DEBUG", logger="flask-limiter")
    answers = [client.get("/api/v1/connectors", headers=headers).status_code for _ in range(602)]
    assert answers[-1] == 429
    assert "exceeded" in caplog.text
    assert headers["Authorization"].split()[1][:12] not in caplog.text


def test_guessing_tokens_is_throttled_by_address(
    app: Flask, make_app: Callable[..., Flask], bearer: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(ratelimit=True, proxies=1).test_client()
    paths = ("/api/v1/connectors", "/metrics", "/api/v1/connectors/1/log")

    def ask(number: int, address: str, headers: dict[str, str]) -> int:
        return client.get(paths[number % 3], headers={**headers, "X-Forwarded-For": address}).status_code

    guesses = [ask(number, "198.51.100.1", {"Authorization": f"Bearer wm_guess{number}"}) for number in range(31)]
    assert guesses == [401] * 30 + [429]
    assert ask(0, "203.0.113.5", bearer()) == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_guessing_webhook_addresses_is_throttled(app: Flask, make_app: Callable[..., Flask]) -> None:
    client = make_app(ratelimit=True).test_client()
    statuses = [client.post(f"/hooks/guess{number}").status_code for number in range(61)]
    assert statuses == [404] * 60 + [429]
