"""Errors of the API: always JSON, with the field that is at fault."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from integration.pipeline.runs import progress as run_progress
from integration.pipeline.services import Services
from tests.web.api.conftest import Ask


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
    assert answer.json["sentence"] and "Go back" not in answer.json["hint"]


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("DELETE", "connectors/1/runs", "GET and POST"),
        ("GET", "runs/1/cancel", "POST"),
        ("POST", "connectors", "GET"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_told_those_that_it_takes(
    client: FlaskClient, bearer: Ask, method: str, path: str, takes: str
) -> None:
    answer = client.open(f"/api/v1/{path}", method=method, headers=bearer())
    assert (answer.status_code, answer.json["hint"]) == (405, f"This address takes {takes}.")
    assert set(takes.split(" and ")) <= set(answer.headers["Allow"].split(", "))


UNREADABLE = "The body cannot be read as JSON: "


@pytest.mark.parametrize(
    ("path", "raw", "said"),
    [
        ("runs", b"null", "The body is null, and no JSON object. Send an object: {…}."),
        ("replay", b"[]", "The body is a list, and no JSON object. Send an object: {…}."),
        ("runs", b"true", "The body is true or false, and no JSON object. Send an object: {…}."),
        ("runs", b"{kind", f"{UNREADABLE}the fault is in line 1, column 2. Correct it"),
        ("runs", b"\xff", f"{UNREADABLE}it is no UTF-8, or nested too deeply. Correct it"),
        ("runs", b"[" * 100_000, f"{UNREADABLE}it is no UTF-8, or nested too deeply. Correct it"),
        ("orders", b"", "The body is empty. Correct it"),
        ("orders", b"{", f"{UNREADABLE}the fault is in line 1, column 2. Correct it"),
        ("orders", b"7", "The body is a number, and neither a JSON object nor a list of them. Send an object"),
    ],
    ids=["null", "list", "truth", "cut", "bytes", "deep", "empty", "cut orders", "number"],
)
def test_a_body_is_told_what_is_wrong_with_it(
    client: FlaskClient, connector_id: int, bearer: Ask, path: str, raw: bytes, said: str
) -> None:
    url, headers = f"/api/v1/connectors/{connector_id}/{path}", bearer()
    answer = client.post(url, data=raw, headers=headers, content_type="application/json")
    assert f"{answer.json['sentence']} {answer.json['hint']}".startswith(said)
    plain = client.post(url, data=raw, headers=headers)
    assert (plain.status_code, plain.json["hint"]) == (400, "Send Content-Type: application/json.")


def test_a_number_below_its_bounds_is_told_them(client: FlaskClient, bearer: Ask) -> None:
    answer = client.get("/api/v1/runs/1/lines?after=-1", headers=bearer())
    assert answer.json["fields"] == {"after": f"“after” is a number from 0 to {10**15}, not -1."}


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
    "raw", ["[" * 100_000, '{"a":' * 100_000, "{", "", "\xff"], ids=["lists", "maps", "cut", "none", "bytes"]
)
def test_a_body_that_cannot_be_read_is_refused_whatever_it_is(
    client: FlaskClient, connector_id: int, bearer: Ask, raw: str
) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    answer = client.post(f"/api/v1/connectors/{connector_id}/runs", data=raw.encode("latin-1"), headers=headers)
    assert (answer.status_code, answer.json["error"]) == (400, "body")
