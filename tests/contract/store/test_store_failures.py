"""Deliveries as bytes, and deliveries that fail, are lost or come twice."""

from __future__ import annotations

import json

import pytest
from store_client import Client
from store_hooks import VARYING, check_delivery, hook, hook_all, settled
from store_receiver import Receiver
from store_recordings import recording

from integration.sandbox.store import shop_import


def test_bodies_are_escaped_as_php_does(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    shop_import.order(hooked.server.state, recording(341).request_json)
    hooked.server.shop.edit_order(2249)
    settled(hooked)

    body = receiver.of("order.updated")[0].body
    assert body.isascii()
    assert b"http:\\/\\/" in body and b'"\\u0645\\u062d\\u0645\\u062f"' in body
    assert b"\\u0645\\u062d\\u0645\\u062f" in recording(341).request["body"].encode()


@pytest.mark.parametrize(("number", "status"), [(364, 500), (365, 301), (366, 410), (367, 0)])
def test_seven_failures_disable_a_webhook_and_a_redirect_is_none(
    number: int, status: int, hooked: Client, receiver: Receiver
) -> None:
    made = hook(hooked, receiver, "order.updated")
    state = hooked.server.state
    receiver.status = status or 200
    if not status:
        state.webhooks[made]["delivery_url"] = "http://127.0.0.1:1/dead"
    seen = []
    for _ in range(8):
        hooked.server.shop.edit_order(94)
        settled(hooked)
        seen.append((state.webhooks[made]["status"], state.webhooks[made]["failures"]))

    assert hooked.ask("GET", f"/webhooks/{made}").json["status"] == recording(number).body["status"]
    if status == 301:
        assert set(seen) == {("active", 0)}
    else:
        assert seen == [("active", count) for count in range(1, 7)] + [("disabled", 6)] * 2


def test_a_failed_delivery_never_comes_again(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    receiver.status = recording(369).status
    hooked.server.shop.edit_order(94)
    settled(hooked)
    receiver.status = 200
    failed = len(receiver.delivered)
    hooked.server.shop.edit_order(95)
    settled(hooked)

    assert (failed, len(receiver.delivered)) == (1, 2)
    check_delivery(
        369,
        receiver.delivered[0],
        (
            *VARYING,
            "_links",
            "date_completed",
            "date_completed_gmt",
            "shipping_lines",
            "tax_lines",
            "coupon_lines",
            "fee_lines",
        ),
    )
    assert json.loads(receiver.delivered[1].body)["id"] == 95


def test_deliveries_are_dropped_repeated_or_not_rung_on_command(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    queue = hooked.server.webhook_queue

    def delivered() -> int:
        receiver.delivered.clear()
        hooked.server.shop.edit_order(94)
        settled(hooked)
        return len(receiver.delivered)

    queue.drop = 1
    assert (delivered(), delivered()) == (0, 1)
    queue.repeat = 2
    assert delivered() == 3
    queue.repeat, queue.silent = 0, True
    assert delivered() == 0
