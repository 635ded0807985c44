"""The API does what its own description says: examples are made from it and the answers are held against it."""

from __future__ import annotations

import re

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integration.models import Run
from integration.operations.identity import tokens
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import lifecycle as run_lifecycle, resumption
from integration.pipeline.services import Services
from integration.web.machines.openapi import OPERATIONS, described
from tests.web.conftest import Person, Settle

CONFORMS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SAME_EACH_TIME = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NAMES = [each.name for each in OPERATIONS]


@pytest.fixture
def headers(services: Services) -> dict[str, str]:
    made = tokens.make(services, 1, "Robot", list(tokens.SCOPES), "admin@example.com")
    return {"Authorization": f"Bearer {made.secret}"}


@pytest.fixture
def filled(services: Services, connector_id: int, record: Settle) -> None:
    """A dead letter, a run with a line and a payload file, so that rows are held against the description too."""
    record(7, "dead", error_code="refused", message="No.", category="permanent")
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.write() as session:
        run_lifecycle.add_line(session, services.clock.now(), run_id, "One line.")
        run = session.get_one(Run, run_id)
    assert (run_id, payload_files.store(services, run, "pull", "Page 1", [{"id": 1}])) == (1, 1)
    # While a run is going no other one is started.
    run_lifecycle.cancel(services, run_id)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_as_described(
    app: Flask, services: Services, headers: dict[str, str], name: str, mode: str
) -> None:
    if name in ("cancel", "pause"):
        # Only a run that is going is cancelled, or paused.
        resumption.resume(services, 1)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = (each.ok() for each in schema.get_all_operations())
    operation = next(each for each in operations if each.definition.raw["operationId"] == name)
    # What does not fit the description has to be refused in some way, and need not be met by a route at all.
    checks = CONFORMS if mode == "POSITIVE" else [not_a_server_error]
    statuses: list[int] = []

    @SAME_EACH_TIME
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def ask(case: schemathesis.Case) -> None:
        # Else hardly any example would meet a row, and no wrong body would be looked at.
        if case.path_parameters and (mode == "POSITIVE" or case.body):
            case.path_parameters.update(dict.fromkeys(case.path_parameters, 1))
        response = case.call(headers=headers)
        statuses.append(response.status_code)
        case.validate_response(response, checks=checks)

    ask()
    if mode == "POSITIVE":
        assert set(statuses) & {200, 202}
        assert 401 not in statuses
    else:
        assert set(statuses) - {404}


def test_every_address_of_the_api_is_described(app: Flask) -> None:
    rules = {
        (re.sub(r"<int:(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert rules == {(each.path, each.method) for each in OPERATIONS}


def test_each_operation_names_its_scope_and_a_token_without_it_is_refused(
    app: Flask, services: Services, connector_id: int
) -> None:
    for each in OPERATIONS:
        others = [scope for scope in tokens.SCOPES if scope != each.scope]
        made = tokens.make(services, 1, f"Robot for {each.name}", others, "admin@example.com")
        path = re.sub(r"\{\w+\}", "1", each.path)
        answer = app.test_client().open(
            path, method=each.method.upper(), json={}, headers={"Authorization": f"Bearer {made.secret}"}
        )
        assert (answer.status_code, answer.json["error"]) == (403, "scope"), each.name


def test_filters_and_bodies_stand_in_the_description() -> None:
    document = described()
    records = document["paths"]["/api/v1/connectors/{connector_id}/records"]["get"]["parameters"]
    limit = next(each for each in records if each["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 10, "maximum": 500}
    body = document["components"]["schemas"]["RunOptions"]
    assert body["properties"]["kind"]["enum"] == ["bulk", "full", "initial", "incremental"]
    assert (body["additionalProperties"], body["required"]) == (False, ["kind"])
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("runs", {"kind": "odd", "page_size": 5, "all": 1}, ["kind", "page_size", "all"]),
        ("replay", {"ids": [1], "everything": True}, ["everything"]),
        ("replay", {"ids": []}, ["ids"]),
        ("replay", {}, ["ids"]),
    ],
)
def test_each_wrong_field_of_a_body_is_named(
    app: Flask, headers: dict[str, str], connector_id: int, path: str, body: dict[str, object], fields: list[str]
) -> None:
    answer = app.test_client().post(f"/api/v1/connectors/{connector_id}/{path}", json=body, headers=headers)
    assert (answer.status_code, sorted(answer.json["fields"])) == (422, sorted(fields))
    assert answer.json["error"] in fields


def test_an_id_that_no_database_holds_is_not_found(app: Flask, headers: dict[str, str], connector_id: int) -> None:
    for path in (f"runs/{2**63}", f"connectors/{2**63}/records", f"runs/1/payloads/{2**80}"):
        answer = app.test_client().get(f"/api/v1/{path}", headers=headers)
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")


def test_the_tokens_page_links_the_description(admin: Person) -> None:
    assert 'href="/api/v1/openapi.json"' in admin.get("/tokens", follow_redirects=True).text
