"""Webhooks are managed and pinged as they were recorded."""

from __future__ import annotations

import pytest
from store_client import Client
from store_hooks import SECRET, hook, hook_all
from store_receiver import Receiver
from store_recordings import recording, shape, without

CREATED = tuple(range(301, 310))


@pytest.mark.parametrize("number", CREATED)
def test_making_a_webhook_pings_its_receiver(number: int, hooked: Client, receiver: Receiver) -> None:
    recorded, ping = recording(number), recording(number + 9)
    fields = recorded.request_json | {"secret": SECRET}
    fields["delivery_url"] = fields["delivery_url"].replace("http://recorder.test", receiver.url)

    reply = hooked.ask("POST", "/webhooks", fields)

    assert reply.status == recorded.status
    varying = ("id", "delivery_url", "_links", "date_created", "date_created_gmt")
    assert without(reply.json, varying) == without(recorded.body, varying)
    assert list(reply.json) == list(recorded.body)
    assert reply.headers["Location"].endswith(f"/webhooks/{reply.json['id']}")
    (got,) = receiver.delivered
    assert got.path == ping.path
    assert got.body == f"webhook_id={reply.json['id']}".encode()
    assert got.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert not [name for name in got.headers if name.startswith("X-WC")]


def test_webhooks_are_listed_without_their_secrets(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)

    reply = hooked.ask("GET", "/webhooks")

    assert reply.headers["X-WP-Total"] == recording(319).header("X-WP-Total")
    assert shape(reply.json) == shape(recording(319).body)
    assert "secret" not in reply.json[0]


@pytest.mark.parametrize("number", [320, 321, 322, 323, 324, 325])
def test_webhooks_that_cannot_be_are_refused(number: int, hooked: Client) -> None:
    reply = hooked.ask("POST", "/webhooks", recording(number).request_json)

    assert (reply.status, reply.json) == (recording(number).status, recording(number).body)


@pytest.mark.parametrize("number", [401, 405, 412])
def test_a_receiver_that_fails_the_ping_changes_nothing(number: int, hooked: Client, receiver: Receiver) -> None:
    receiver.status = 404
    url = "http://127.0.0.1:1/x" if number == 405 else f"{receiver.url}/x"
    fields = recording(number).request_json | {"delivery_url": url}

    reply = hooked.ask("POST", "/webhooks", fields)
    read = hooked.ask("GET", f"/webhooks/{reply.json['id']}")

    assert (reply.status, reply.json["status"]) == (201, "active")
    assert shape(reply.json) == shape(recording(number).body)
    if number < 412:
        assert shape(read.json) == shape(recording(number + 1).body)


def test_a_webhook_without_a_name_is_named_by_its_second(hooked: Client, receiver: Receiver) -> None:
    hooked.server.state.clock.advance(minutes=13)  # type: ignore[attr-defined]  # the tests' shops have a movable clock
    fields = recording(411).request_json | {"delivery_url": receiver.url}

    assert hooked.ask("POST", "/webhooks", fields).json["name"] == recording(411).body["name"]


def test_webhooks_are_changed_and_deleted(hooked: Client, receiver: Receiver) -> None:
    number = hook(hooked, receiver, "product.updated")
    path = f"/webhooks/{number}"

    paused = hooked.ask("PUT", path, recording(370).request_json)
    unforced = hooked.ask("DELETE", path)
    unknown = hooked.ask("GET", "/webhooks/9999")
    deleted = hooked.ask("DELETE", f"{path}?force=true")

    assert paused.json["status"] == recording(370).body["status"]
    assert shape(paused.json) == shape(recording(370).body)
    assert (unforced.status, unforced.json) == (501, recording(371).body)
    assert (unknown.status, unknown.json) == (404, recording(372).body)
    assert (deleted.status, hooked.ask("GET", path).status) == (200, 404)


def test_another_address_is_pinged_anew(hooked: Client, receiver: Receiver) -> None:
    number = hook(hooked, receiver, "order.updated")
    receiver.delivered.clear()

    hooked.ask("PUT", f"/webhooks/{number}", {"delivery_url": f"{receiver.url}/hook/order.updated?again"})

    (got,) = receiver.delivered
    assert got.body == f"webhook_id={number}".encode()
    assert got.headers["Content-Type"] == dict(map(tuple, recording(373).request["headers"]))["Content-Type"]
