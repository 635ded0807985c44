"""Keys of the inbound API: the same request under the same key is done once."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from integration.clock import SetClock
from integration.inbound.bodies import CONTACT_EXAMPLE, ORDER_EXAMPLE
from integration.models import AuditEntry
from integration.operations.identity import tokens
from integration.operations.retention import prune
from integration.pipeline.services import Services
from tests.web.conftest import deliveries
from tests.web.inbound.conftest import Send


def test_the_same_key_and_body_are_answered_as_before_and_nothing_is_done_twice(
    send: Send, services: Services, audit_of: Callable[[str], list[AuditEntry]], clock: SetClock
) -> None:
    first = send("orders", [ORDER_EXAMPLE, {}], "k1")
    clock.advance(hours=1)
    again = send("orders", [ORDER_EXAMPLE, {}], "k1")
    assert (again.status_code, again.json) == (202, first.json | {"repeated": True})
    assert (len(deliveries(services)), len(audit_of("RECEIVED"))) == (1, 1)
    for name, body in (("orders", [ORDER_EXAMPLE]), ("contacts", [ORDER_EXAMPLE | {"id": 5}, CONTACT_EXAMPLE])):
        other = send(name, body, "k1")
        assert (other.status_code, other.json["error"]) == (409, "key_used")
    assert len(deliveries(services)) == 1


def test_a_key_is_kept_for_a_day_and_one_token_does_not_meet_anothers(
    send: Send, services: Services, clock: SetClock, client: FlaskClient, connector_id: int
) -> None:
    send("orders", ORDER_EXAMPLE, "k1")
    other = tokens.make(services, 1, "Other", ["write"], "admin@example.com")
    address = f"/api/v1/connectors/{connector_id}/orders"
    theirs = {"Authorization": f"Bearer {other.secret}", "Idempotency-Key": "k1"}
    assert not client.post(address, json=ORDER_EXAMPLE | {"id": 2}, headers=theirs).json["repeated"]
    clock.advance(hours=25)
    assert not send("orders", ORDER_EXAMPLE | {"id": 3}, "k1").json["repeated"]
    assert prune(services, clock.now(), pause=lambda: None)["keys"] == 1
    assert send("orders", ORDER_EXAMPLE | {"id": 3}, "k1").json["repeated"]


def test_a_request_that_was_refused_whole_does_not_use_its_key_up(send: Send) -> None:
    assert send("orders", {}, "k1").status_code == 422
    assert send("orders", ORDER_EXAMPLE, "k1").status_code == 202
    odd = send("orders", ORDER_EXAMPLE, "a b")
    assert (odd.status_code, list(odd.json["fields"])) == (422, ["Idempotency-Key"])
