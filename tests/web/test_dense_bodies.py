"""Bodies that would take many times their size: refused by the number of their values, which real orders never have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from integration import json_text
from integration.field_errors import NAMED_MAX
from integration.inbound.bodies import ORDER_EXAMPLE
from integration.models import Connector, Delivery
from integration.operations.identity import tokens
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.web.frame.incoming import FIELDS_MAX
from integration.web.frame.security import LARGEST_BODY
from tests.web.conftest import Person
from tests.web.signed_hooks import SECRET, sign, waiting

RECORDED = Path(__file__).parents[1] / "contract/recordings/store/062-order-60-items.json"
DENSE = b'{"id":1,"x":[' + b"{}," * (json_text.BODY_VALUES_MAX // 2) + b"{}]}"


@pytest.fixture
def hook(services: Services, connector_id: int, connector: Callable[[], Connector]) -> str:
    pairs.connect(services, connector_id, webhook_secret=SECRET)
    return f"/hooks/{connector().webhook_path}"


@pytest.fixture
def call(app: Flask, services: Services, connector_id: int) -> Callable[..., Any]:
    """Posts a body to an address of the connector in the API."""
    secret = tokens.make(services, 1, "Till", ["write", "replay"], "admin@example.com").secret
    kind = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def post(name: str, body: bytes) -> Any:
        return app.test_client().post(f"/api/v1/connectors/{connector_id}/{name}", data=body, headers=kind)

    return post


def test_a_webhook_with_more_values_than_any_record_is_not_read(
    visitor: Person, hook: str, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    assert visitor.client.post(hook, data=DENSE, headers=sign(DENSE)).status_code == 200
    assert waiting(services) == 0
    assert "more values than any record" in caplog.text


def test_a_real_order_as_large_as_a_body_may_be_is_taken_whole(visitor: Person, hook: str, services: Services) -> None:
    order = json.loads(RECORDED.read_text())["response"]["body"]
    order = json.loads(order) if isinstance(order, str) else order
    fits = LARGEST_BODY // len(json.dumps(order, separators=(",", ":")))
    order["line_items"] *= fits
    body = json.dumps(order, separators=(",", ":")).encode()
    assert LARGEST_BODY * 0.8 < len(body) < LARGEST_BODY and len(order["line_items"]) > 5000
    assert visitor.client.post(hook, data=body, headers=sign(body)).status_code == 200
    with services.db.read() as session:
        [row] = session.query(Delivery).all()
        assert row.payload and len(row.payload["line_items"]) == len(order["line_items"])


@pytest.mark.parametrize(("name", "body"), [("replay", DENSE), ("orders", b"[" + DENSE + b"]"), ("orders", DENSE)])
def test_the_api_says_that_a_body_has_too_many_values(call: Callable[..., Any], name: str, body: bytes) -> None:
    answer = call(name, body)
    assert (answer.status_code, answer.json["error"]) == (413, "body")
    assert "more than 500,000 values" in answer.json["sentence"] and "in parts" in answer.json["hint"]


@pytest.mark.parametrize("name", ["replay", "orders"])
@pytest.mark.parametrize(("number", "named"), [(NAMED_MAX, NAMED_MAX), (NAMED_MAX + 1, 1)])
def test_faults_are_named_until_they_are_too_many(call: Callable[..., Any], name: str, number: int, named: int) -> None:
    right = {"replay": {"ids": [1]}, "orders": ORDER_EXAMPLE}[name]
    answer = call(name, json.dumps(right | {f"odd{place}": 1 for place in range(number)}).encode())
    assert (answer.status_code, len(answer.json["fields"])) == (422, named)
    assert named > 1 or f"It has {number:,} faults" in answer.json["fields"]["body"]


@pytest.mark.parametrize(("number", "refused"), [(FIELDS_MAX, False), (FIELDS_MAX + 1, True)])
def test_a_form_with_more_fields_than_any_page_has_is_refused(visitor: Person, number: int, refused: bool) -> None:
    form = "&".join([f"csrf_token={visitor.token()}", "email=nobody@example.com", *["a=b"] * (number - 2)])
    answer = visitor.client.post("/sign-in", data=form, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code == 413) == refused
    assert (f"{FIELDS_MAX:,} fields of a form" in answer.text) == refused
