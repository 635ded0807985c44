"""The inbound API: what is sent is stored once, answered item by item, and can be followed (P101)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from integration.identity import person_key_of
from integration.inbound.bodies import CONTACT_EXAMPLE, ORDER_EXAMPLE
from integration.models import AuditEntry, Connector, ContactLink, DeliveryState, LedgerEntry
from integration.operations.identity import tokens
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services
from tests.web.conftest import deliveries
from tests.web.inbound.conftest import Send


def test_what_is_sent_takes_the_road_and_can_be_followed(
    send: Send, follow: Any, services: Services, connector_id: int, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    answer = send("orders", ORDER_EXAMPLE)
    [item] = answer.json["items"]
    assert (answer.status_code, answer.json["accepted"], answer.json["refused"]) == (202, 1, 0)
    [row] = deliveries(services)
    assert (row.source_id, row.number, row.origin, row.event) == ("api:till-17", "T-17", "api", "completed")
    assert (item["id"], item["url"]) == (
        "till-17",
        f"{services.base_url}/api/v1/connectors/{connector_id}/deliveries/{row.id}",
    )
    told = follow(item["url"]).json
    assert (told["state"], told["kind"], told["id"], told["reason"]) == ("waiting", "order", "till-17", "")
    assert [(each.actor, each.entity, each.diff) for each in audit_of("RECEIVED")] == [
        ("API: Till", "orders", {"accepted": [None, 1]})
    ]
    with services.db.read() as session:
        [entry] = session.scalars(select(LedgerEntry))
    assert (entry.order_id < 0, entry.net_total, entry.status) == (True, "25.00", "completed")


def test_an_order_of_a_program_is_not_the_stores_order_of_the_same_number(
    send: Send, services: Services, record: Callable[..., int]
) -> None:
    record(17)
    send("orders", ORDER_EXAMPLE | {"id": 17, "number": "17"})
    assert [row.source_id for row in deliveries(services)] == ["17", "api:17"]
    with services.db.read() as session:
        assert [row.order_id < 0 for row in session.scalars(select(LedgerEntry))] == [True]


@pytest.mark.parametrize(
    ("state", "ends", "told"),
    [
        ("delivered", {"contact_id": 5}, {"state": "delivered", "contact_id": 5}),
        (
            "skipped",
            {"error_code": "module_off", "message": "Contact Sync is switched off."},
            {"state": "skipped", "reason": "Contact Sync is switched off.", "error": "module_off"},
        ),
        (
            "dead",
            {"error_code": "refused", "message": "Mautic refused it."},
            {"state": "dead", "reason": "Mautic refused it.", "error": "refused"},
        ),
    ],
)
def test_its_address_says_how_it_ended(
    send: Send, follow: Any, services: Services, connector_id: int, state: str, ends: Any, told: Any
) -> None:
    [item] = send("contacts", CONTACT_EXAMPLE).json["items"]
    token, now = new_token(), services.clock.now()
    with services.db.write() as session:
        [group] = outbox.claim(session, now, connector_id, 50, token)
        outcome = outbox.Outcome(group.deliveries[0].id, DeliveryState(state), **ends)
        outbox.settle(session, now, connector_id, token, [outcome])
    assert told.items() <= follow(item["url"]).json.items()


def test_a_newer_snapshot_of_a_contact_takes_the_waiting_ones_place(send: Send, services: Services) -> None:
    first = send("contacts", CONTACT_EXAMPLE).json["items"][0]["url"]
    again = send("contacts", CONTACT_EXAMPLE | {"first_name": "Augusta"}).json["items"][0]["url"]
    [row] = deliveries(services)
    assert (first == again, row.payload and row.payload["first_name"]) == (True, "Augusta")


def test_of_a_list_the_wrong_items_are_named_and_the_others_are_taken(send: Send, services: Services) -> None:
    wrong = ORDER_EXAMPLE | {"billing": {"email": "nobody"}, "biling": {}, "line_items": [{"name": "x", "price": "y"}]}
    answer = send("orders", [ORDER_EXAMPLE, wrong, ORDER_EXAMPLE | {"id": 18}])
    assert (answer.status_code, answer.json["accepted"], answer.json["refused"]) == (202, 2, 1)
    assert [(item["id"], item["accepted"]) for item in answer.json["items"]] == [
        ("till-17", True),
        ("till-17", False),
        ("18", True),
    ]
    refused = answer.json["items"][1]
    assert (sorted(refused["fields"]), refused["url"]) == (
        ["biling", "billing.email", "line_items.0.price"],
        None,
    )
    assert [row.source_id for row in deliveries(services)] == ["api:till-17", "api:18"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"id": 1}, ["billing", "currency", "date_created_gmt", "status", "total"]),
        (ORDER_EXAMPLE | {"total": float("nan")}, ["total"]),
        (ORDER_EXAMPLE | {"total": True}, ["total"]),
        (ORDER_EXAMPLE | {"total": "1e99"}, ["total"]),
        (ORDER_EXAMPLE | {"id": "../17"}, ["id"]),
        (ORDER_EXAMPLE | {"id": -1}, ["id"]),
        (ORDER_EXAMPLE | {"id": "x" * 37}, ["id"]),
        (ORDER_EXAMPLE | {"status": "No such"}, ["status"]),
        (ORDER_EXAMPLE | {"date_created_gmt": "soon"}, ["date_created_gmt"]),
        (ORDER_EXAMPLE | {"meta_data": [{"key": ""}]}, ["meta_data.0.key"]),
        ([{}, 5], ["0.billing", "0.currency", "0.date_created_gmt", "0.id", "0.status", "0.total", "1.body"]),
        ([], ["body"]),
        ([ORDER_EXAMPLE] * 501, ["body"]),
    ],
)
def test_where_nothing_is_right_nothing_is_stored(
    send: Send, services: Services, body: Any, paths: list[str], audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    answer = send("orders", body)
    assert (answer.status_code, sorted(answer.json["fields"])) == (422, paths)
    assert answer.json["error"] in paths
    assert (deliveries(services), audit_of("RECEIVED")) == ([], [])


def test_a_whole_order_of_woocommerce_can_be_sent_on(send: Send, services: Services) -> None:
    unused = {"_links": {}, "shipping": {"city": "X"}, "cart_tax": "0.00", "customer_id": 4, "fee_lines": []}
    line = {"id": 5, "name": "Mug", "product_id": 12, "quantity": 1, "price": 12.5, "total": "12.50", "taxes": []}
    answer = send("orders", ORDER_EXAMPLE | unused | {"line_items": [line], "date_paid_gmt": None, "id": 17})
    assert (answer.status_code, answer.json["refused"]) == (202, 0)
    [row] = deliveries(services)
    assert row.payload and row.payload["line_items"][0]["price"] == "12.5"
    assert "shipping" not in row.payload


def test_a_body_that_is_no_json_is_refused(client: FlaskClient, headers: dict[str, str], connector_id: int) -> None:
    address = f"/api/v1/connectors/{connector_id}/orders"
    for data in (b"{", b"5", b'"x"', b""):
        answer = client.post(address, data=data, headers=headers, content_type="application/json")
        assert (answer.status_code, answer.json["error"]) == (400, "body")
    assert client.post(address, data=b"{}", headers=headers).status_code == 400
    large = client.post(address, data=b"[" + b" " * 6_000_000 + b"]", headers=headers, content_type="application/json")
    assert (large.status_code, large.is_json) == (413, True)


def test_without_a_connector_in_the_address_the_only_one_is_meant(
    client: FlaskClient, headers: dict[str, str], services: Services, connector_id: int
) -> None:
    assert client.post("/api/v1/orders", json=ORDER_EXAMPLE, headers=headers).json["connector"] == connector_id
    other = pairs.create(services, organisation_id=1, name="Second", store_url="https://x.example", mautic_url="")
    answer = client.post("/api/v1/orders", json=ORDER_EXAMPLE, headers=headers)
    assert (answer.status_code, answer.json["error"], "(Second)" in answer.json["hint"]) == (422, "connector", True)
    named = client.post(f"/api/v1/orders?connector={other}", json=ORDER_EXAMPLE, headers=headers)
    assert (named.status_code, named.json["connector"]) == (202, other)
    foreign = tokens.make(services, 2, "Foreign", ["write"], "x")
    theirs = {"Authorization": f"Bearer {foreign.secret}"}
    assert client.post(f"/api/v1/orders?connector={other}", json=ORDER_EXAMPLE, headers=theirs).status_code == 404
    assert client.post("/api/v1/orders", json=ORDER_EXAMPLE, headers=theirs).status_code == 422


def test_a_token_follows_only_what_programs_of_its_organisation_sent(
    send: Send, client: FlaskClient, services: Services, connector_id: int, record: Callable[..., int]
) -> None:
    own = record(7)
    [item] = send("orders", ORDER_EXAMPLE).json["items"]
    theirs = {"Authorization": f"Bearer {tokens.make(services, 2, 'Foreign', ['write'], 'x').secret}"}
    ours = {"Authorization": f"Bearer {tokens.make(services, 1, 'Ours', ['write'], 'x').secret}"}
    path = item["url"].removeprefix(services.base_url)
    assert client.get(path, headers=theirs).status_code == 404
    assert client.get(f"/api/v1/connectors/{connector_id}/deliveries/{own}", headers=ours).status_code == 404
    reader = {"Authorization": f"Bearer {tokens.make(services, 1, 'Reader', ['logs'], 'x').secret}"}
    assert client.get(path, headers=reader).status_code == 403


def test_an_account_that_a_program_gave_another_address_stays_the_person(
    send: Send, services: Services, connector_id: int
) -> None:
    send("contacts", CONTACT_EXAMPLE)
    with services.db.write() as session:
        key = person_key_of("ada@example.com")
        session.add(
            ContactLink(
                connector_id=connector_id, person_key=key, contact_id=5, fields={}, written_at=services.clock.now()
            )
        )
    send("contacts", CONTACT_EXAMPLE | {"email": "countess@example.com"})
    with services.db.read() as session:
        [link] = session.scalars(select(ContactLink))
        connector = session.get_one(Connector, connector_id)
    assert (link.contact_id, link.person_key) == (5, person_key_of("countess@example.com"))
    assert connector.id == connector_id
