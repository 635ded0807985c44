"""The API does what its own description says: examples are made from it and the answers are held against it."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
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

from integration.inbound import intake
from integration.inbound.bodies import CART_EXAMPLE, ORDER_EXAMPLE
from integration.models import Connector, Run
from integration.operations import erasure
from integration.operations.identity import tokens
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, resumption
from integration.pipeline.services import Services
from integration.web.machines.openapi import OPERATIONS, described
from integration.web.machines.openapi_examples import example
from tests.web.conftest import Person, Settle, text_of

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
#: The short addresses of all kinds are one function.
NAMES = [each.name for each in OPERATIONS if each.name not in ("send_orders_short", "send_carts_short")]


def example_of(name: str) -> Any:
    """The example of the body in the description, None for none."""
    body = next(each.body for each in OPERATIONS if each.name == name)
    return (body.model_config.get("json_schema_extra") or {}).get("examples", [None])[0] if body else None


def _path(name: str) -> str:
    return re.sub(r"\{\w+\}", "1", next(each.path for each in OPERATIONS if each.name == name))


@pytest.fixture
def headers(services: Services) -> dict[str, str]:
    made = tokens.make(services, 1, "Robot", list(tokens.SCOPES), "admin@example.com")
    return {"Authorization": f"Bearer {made.secret}"}


@pytest.fixture
def filled(services: Services, connector_id: int, record: Settle) -> None:
    """An order and a cart that a program sent, a dead letter, a run with a line and a payload file.

    So rows are held against the description too.
    """
    pairs.configure(services, connector_id, {"carts.enabled": "yes"})
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
    for name, body in (("orders", ORDER_EXAMPLE), ("carts", CART_EXAMPLE)):
        assert [each.number for each in intake.take(services, connector, name, [body]).items] == [1]
    record(7, "dead", error_code="refused", message="No.", category="permanent")
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.write() as session:
        run_lifecycle.add_line(session, services.clock.now(), run_id, "One line.")
        run = session.get_one(Run, run_id)
    assert (run_id, payload_files.store(services, run, "pull", "Page 1", [{"id": 1}])) == (1, 1)
    assert erasure.ask(services, 1, erasure.checked("ada@example.com", None, "keep"), "admin") == 1
    # While a run is going no other one is started.
    cancelling.cancel(services, run_id)


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

    @settings(SAME_EACH_TIME, max_examples=3 if name.startswith("send_") else 8)
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def ask(case: schemathesis.Case) -> None:
        # Else hardly any example would meet a row, and no wrong body would be looked at.
        if case.path_parameters and (mode == "POSITIVE" or case.body):
            case.path_parameters.update(dict.fromkeys(case.path_parameters, 1))
        response = case.call(headers=headers)
        statuses.append(response.status_code)
        case.validate_response(response, checks=checks)

    ask()
    if mode == "POSITIVE" and (body := example_of(name)) is not None:
        # Hardly any example that is made up has a date and an address that there can be.
        statuses.append(app.test_client().post(_path(name), json=body, headers=headers).status_code)
    if mode == "POSITIVE":
        assert set(statuses) & {200, 202}
        assert 401 not in statuses
    else:
        assert set(statuses) - {404}


def test_every_address_of_the_api_is_described(app: Flask) -> None:
    rules = {
        (re.sub(r"<int:(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("api.", "inbound."))
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


def test_the_page_of_the_api_shows_every_address_with_an_example(viewer: Person, admin: Person) -> None:
    page = viewer.get("/tokens/reference")
    assert page.status_code == 200
    for each in OPERATIONS:
        assert f'id="{each.name}"' in page.text
        assert f"{each.method.upper()} {each.path}" in text_of(page)
    assert "line_items[].price" in text_of(page)
    assert "api.example" not in page.text
    assert re.findall(r"<script[^>]*src=\"http", page.text) == []
    assert 'href="/tokens/reference"' in admin.get("/tokens").text


def test_examples_of_answers_are_as_described() -> None:
    schemas = described()["components"]["schemas"]
    for each in OPERATIONS:
        if each.answer:
            schema = {"$ref": f"#/components/schemas/{each.answer.__name__}", "components": {"schemas": schemas}}
            jsonschema_rs.validate(schema, example(schemas[each.answer.__name__], schemas))


def test_the_tokens_page_links_the_description(admin: Person) -> None:
    assert 'href="/api/v1/openapi.json"' in admin.get("/tokens", follow_redirects=True).text
