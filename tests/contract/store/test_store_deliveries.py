"""What happens in the shop rings, and is delivered as it was recorded."""

from __future__ import annotations

import json
from typing import Any

from store_client import Client
from store_hooks import VARYING, check_delivery, hook_all, settled
from store_receiver import Delivered, Receiver
from store_recordings import recording

from integration.sandbox.store import shop_import


def test_what_happens_to_customers_rings(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    person = hooked.ask("POST", "/customers", {"email": "Web.Hook+1@Example.com", "first_name": "Wébhook"}).json
    settled(hooked)
    path = f"/customers/{person['id']}"
    assert [got.topic for got in receiver.delivered] == ["customer.created", "customer.updated"]
    check_delivery(326, receiver.delivered[0])
    check_delivery(327, receiver.delivered[1])
    for number, fields in ((328, {"first_name": "Cambiato"}), (329, {"first_name": "Cambiato"})):
        receiver.delivered.clear()
        hooked.ask("PUT", path, fields)
        settled(hooked)
        (got,) = receiver.delivered
        check_delivery(number, got)
    receiver.delivered.clear()
    hooked.ask("DELETE", f"{path}?force=true")
    settled(hooked)
    (got,) = receiver.delivered
    check_delivery(360, got)


def test_what_happens_to_orders_rings(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    buyer = hooked.server.shop.register_customer(email="web.hook+1@example.com")["id"]
    settled(hooked)

    def rung(act: Any) -> list[Delivered]:
        receiver.delivered.clear()
        act()
        settled(hooked)
        return list(receiver.delivered)

    lines = [{"product_id": 12, "quantity": 2}]
    fields = {"status": "processing", "customer_id": buyer, "line_items": lines}
    made = rung(lambda: hooked.ask("POST", "/orders", fields))
    number = json.loads(made[0].body)["id"]
    path = f"/orders/{number}"
    assert [got.topic for got in made] == ["order.created", "order.updated", "product.updated"]
    for expected, got in zip((330, 331, 332), made, strict=True):
        check_delivery(expected, got)
    completed = rung(lambda: hooked.ask("PUT", path, {"status": "completed"}))
    assert [got.topic for got in completed] == ["order.updated", "customer.updated"]
    check_delivery(333, completed[0], (*VARYING, "date_completed", "date_completed_gmt"))
    check_delivery(334, completed[1])
    for expected, body in ((335, {"meta_data": [{"key": "x", "value": "y"}]}), (336, {})):
        (got,) = rung(lambda body=body: hooked.ask("PUT", path, body))
        check_delivery(expected, got)
    (refunded,) = rung(lambda: hooked.ask("POST", f"{path}/refunds", {"amount": "1.00"}))
    check_delivery(337, refunded)
    assert json.loads(refunded.body)["refunds"][0]["total"] == "-1.00"
    (trashed,) = rung(lambda: hooked.ask("DELETE", path))
    check_delivery(338, trashed)
    (restored,) = rung(lambda: hooked.server.shop.restore(number))
    check_delivery(339, restored)
    assert json.loads(restored.body)["status"] == "completed"
    (deleted,) = rung(lambda: hooked.ask("DELETE", f"{path}?force=true"))
    check_delivery(340, deleted)
    assert rung(lambda: hooked.ask("POST", "/orders/94/notes", {"note": "quiet"})) == []


def test_guests_coupons_and_products_ring_too(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    guest = recording(341).request_json["billing"]
    hooked.ask("POST", "/orders", {"billing": guest, "line_items": [{"product_id": 12}]})
    settled(hooked)
    for number, got in zip((341, 342), receiver.delivered, strict=True):
        check_delivery(number, got)
        assert json.loads(got.body)["billing"] == guest
    receiver.delivered.clear()
    coupon = {"code": "HOOK-1", "discount_type": "percent", "amount": "10", "email_restrictions": ["a@example.com"]}
    hooked.ask("POST", "/coupons", coupon)
    hooked.ask("PUT", "/products/12", {"regular_price": "5.00"})
    settled(hooked)
    for number, got in zip((353, 354), receiver.delivered, strict=True):
        check_delivery(number, got, (*VARYING, "stock_quantity", "low_stock_amount"))


def test_two_changes_while_one_waits_are_one_delivery_of_the_last_state(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    shop_import.order(hooked.server.state, recording(341).request_json)
    hooked.server.webhook_queue.hold()
    for note in ("first", "second"):
        hooked.ask("PUT", "/orders/2249", {"customer_note": note})
    assert hooked.server.webhook_queue.waiting == 1
    hooked.server.webhook_queue.release()
    settled(hooked)

    (got,) = receiver.delivered
    check_delivery(343, got)
    assert json.loads(got.body)["customer_note"] == "second"


def test_deliveries_of_one_second_share_their_number(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    numbers = [94, 95, 96, 100, 101]
    for each in numbers[:4]:
        hooked.ask("PUT", f"/orders/{each}", {"customer_note": "four"})
    settled(hooked)
    for recorded, got in zip((344, 345, 346, 347), receiver.of("order.updated"), strict=True):
        check_delivery(
            recorded,
            got,
            (
                *VARYING,
                "_links",
                "shipping_lines",
                "tax_lines",
                "date_completed",
                "date_completed_gmt",
                "coupon_lines",
                "fee_lines",
            ),
        )
    receiver.delivered.clear()
    hooked.ask("POST", "/orders/batch", {"update": [{"id": each, "customer_note": "five"} for each in numbers]})
    settled(hooked)
    got_all = receiver.of("order.updated")
    recorded_ids = {
        dict(map(tuple, recording(each).request["headers"]))["X-WC-Webhook-Delivery-ID"] for each in range(348, 353)
    }
    assert len({got.headers["X-WC-Webhook-Delivery-ID"] for got in got_all}) == len(recorded_ids) == 1
    assert [json.loads(got.body)["id"] for got in got_all] == numbers


def test_a_bulk_edit_takes_stock(hooked: Client, receiver: Receiver) -> None:
    orders = [hooked.server.shop.place_order(line_items=[{"product_id": 12}])["id"] for _ in range(3)]
    hook_all(hooked, receiver)
    for each in orders:
        hooked.server.shop.change_status(each, "on-hold")
    settled(hooked)

    for number, got in zip((355, 356, 357), receiver.of("order.updated"), strict=True):
        assert json.loads(got.body)["status"] == recording(number).request_json["status"] == "on-hold"
    stock = [json.loads(got.body)["stock_quantity"] for got in receiver.of("product.updated")]
    for number in (358, 359):
        check_delivery(number, receiver.of("product.updated")[-1])
    assert stock == sorted(stock, reverse=True)


def test_what_is_gone_when_it_is_delivered_is_an_error_body_signed_all_the_same(
    hooked: Client, receiver: Receiver
) -> None:
    hook_all(hooked, receiver)
    hooked.server.webhook_queue.hold()
    hooked.ask("PUT", "/orders/94", {})
    hooked.server.shop.delete_force(94)
    hooked.ask("PUT", "/orders/95", {})
    hooked.server.shop.trash(95)
    made = hooked.ask("POST", "/orders", {}).json["id"]
    hooked.server.shop.delete_force(made)
    hooked.ask("PUT", "/customers/4", {"first_name": "Gone"})
    hooked.ask("DELETE", "/customers/4?force=true")
    hooked.server.webhook_queue.release()
    settled(hooked)

    updated = receiver.of("order.updated")
    for number, got in ((476, updated[0]), (479, receiver.of("order.created")[0]), (480, updated[2])):
        check_delivery(number, got)
        assert got.body == recording(number).request["body"].encode()
    assert json.loads(updated[1].body)["status"] == recording(477).request_json["status"] == "trash"
    assert receiver.of("order.deleted")[0].body == b'{"id":95}'
    check_delivery(478, receiver.of("order.deleted")[0])
    gone = next(got for got in receiver.of("customer.updated") if b"wc_user_invalid_id" in got.body)
    assert gone.body == recording(481).request["body"].encode()
