"""The last look before a left cart goes out, and unfinished orders that are carts (X15, P51)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from integration.engines import store_probes
from integration.models import Cart, CartState, Connector, ConsentEntry
from integration.pipeline.ingest import webhooks
from integration.pipeline.runs import unfinished_orders
from tests.road.carts import Ahead, MakeRoad, asked, carts_on, leave, only, product, rows, tagged, tick
from tests.road.conftest import Road

#: One kind of database is enough here; tests/road/test_carts.py and tests/carts use both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def bought(road: Road, email: str = "anna@shop.example", status: str = "processing") -> dict[str, Any]:
    """Let somebody buy without that we hear of it."""
    return road.order(email, status, line_items=[{"product_id": product(road)["id"], "quantity": 1}])


def test_who_buys_just_before_the_reminder_goes_out_gets_none_and_the_purchase_is_synced(make_road: MakeRoad) -> None:
    road = carts_on(make_road, orders__statuses="processing")
    leave(road, "anna@shop.example", "otto@shop.example")
    tick(road)
    order = bought(road, "Anna@shop.example")
    road.store.calls.reset()
    road.work()
    assert [(cart.state, cart.reason) for cart in rows(road)] == [("bought", "bought"), ("synced", "")]
    assert tagged(road) == {"otto@shop.example"}
    assert [(e.object_id, e.status) for e in road.log() if e.type == "order"] == [(str(order["id"]), "success")]
    assert [each.priority for each in road.deliveries() if each.source_id == str(order["id"])] == [0]
    # One list for the whole batch, and the orders of who has bought.
    assert len(asked(road, "/orders")) == 2


@pytest.mark.parametrize(
    ("status", "sent"), [("pending", False), ("on-hold", False), ("failed", True), ("cancelled", True)]
)
def test_what_counts_as_bought(make_road: MakeRoad, status: str, sent: bool) -> None:
    road = carts_on(make_road)
    leave(road)
    tick(road)
    bought(road, status=status)
    road.work()
    assert only(road).state == (CartState.SYNCED if sent else CartState.BOUGHT)


def test_the_cart_s_own_order_is_found_by_its_id_whoever_it_is_for(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    own = road.store.shop.place_order(status="checkout-draft", billing={"email": "anna@shop.example"})
    leave(road, draft=own["id"])
    tick(road)
    road.store.shop.edit_order(own["id"], status="processing", billing={"email": "anna.maria@shop.example"})
    road.work()
    assert (only(road).state, tagged(road)) == (CartState.BOUGHT, set())


def test_a_shop_that_cannot_be_asked_has_the_reminder_wait_and_a_day_later_it_is_too_late(make_road: MakeRoad) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock)
    leave(road, "anna@shop.example")
    tick(road)
    down = road.store.faults.down(path="/wp-json/wc/v3/orders")
    road.work()
    assert (only(road).state, road.states(), tagged(road)) == (CartState.ABANDONED, {"ready"}, set())
    road.store.faults.remove(down)
    clock.advance(minutes=10)
    store_probes.tick(road.services)
    road.work()
    assert (only(road).state, tagged(road)) == (CartState.SYNCED, {"anna@shop.example"})
    leave(road, "otto@shop.example")
    tick(road)
    road.store.faults.down(path="/wp-json/wc/v3/orders")
    clock.advance(days=1, minutes=1)
    road.work()
    assert [(cart.state, cart.reason) for cart in rows(road)][1] == ("expired", "too_late")
    assert tagged(road) == {"anna@shop.example"}


def test_who_comes_back_before_it_goes_out_is_reminded_of_what_is_in_the_cart_then(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    leave(road)
    tick(road)
    leave(road, n=2, minutes=0, items=[{"id": product(road)["id"], "qty": 9}])
    road.work()
    assert (only(road).state, tagged(road)) == (CartState.ACTIVE, set())
    assert [(entry.action, entry.status) for entry in road.log()] == [("skip", "success")]
    with road.services.db.write() as session:
        session.execute(update(Cart).values(changed_at=road.services.clock.now() - timedelta(minutes=3)))
    tick(road)
    road.work()
    assert (only(road).state, [line["total"] for line in only(road).lines or []]) == (CartState.SYNCED, ["126.00"])


# -- carts that orders tell of ----------------------------------------------------------------------------------------


def draft(road: Road, email: str = "anna@shop.example", status: str = "checkout-draft", **more: Any) -> dict[str, Any]:
    """Let a shopper stand at the block checkout, without the script."""
    lines = [{"product_id": product(road)["id"], "quantity": 2}]
    made = road.store.shop.place_order(status=status, billing={"email": email}, line_items=lines, **more)
    return road.store.shop.shown(made["id"])


def idle(road: Road) -> None:
    with road.services.db.write() as session:
        session.execute(update(Cart).values(changed_at=road.services.clock.now() - timedelta(minutes=3)))


def test_drafts_pending_and_failed_orders_are_read_and_announced(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    draft(road)
    draft(road, "otto@shop.example", "pending")
    draft(road, "uta@shop.example", "failed")
    draft(road, "ida@shop.example", "processing")
    road.run("incremental")
    assert [(cart.source, cart.email, cart.state) for cart in rows(road)] == [
        ("order", "anna@shop.example", "active"),
        ("order", "otto@shop.example", "active"),
        ("order", "uta@shop.example", "active"),
    ]
    seen = [(cart.changed_at, cart.fingerprint) for cart in rows(road)]
    road.run("incremental")
    assert [(cart.changed_at, cart.fingerprint) for cart in rows(road)] == seen
    idle(road)
    tick(road)
    road.work()
    assert {cart.state for cart in rows(road)} == {"synced"}
    assert {cart.total for cart in rows(road)} == {"28.00"}


def test_who_stops_at_the_payment_of_the_classic_checkout_is_reminded_once(make_road: MakeRoad) -> None:
    road = carts_on(make_road, carts__silent=False)
    leave(road, consent={"ticked": True, "text": "Remind me."})
    road.arrive(draft(road, status="pending"))
    road.run("incremental")
    assert [(cart.source, cart.state) for cart in rows(road)] == [("script", "bought"), ("order", "active")]
    assert {(cart.consent or {})["wording"] for cart in rows(road)} == {"Remind me."}
    idle(road)
    tick(road)
    road.work()
    assert [cart.state for cart in rows(road)] == ["bought", "synced"]
    assert tagged(road) == {"anna@shop.example"}
    # What it was sent under is kept as evidence, beside the cart that is deleted one day.
    with road.services.db.read() as session:
        (said,) = session.scalars(select(ConsentEntry)).all()
    kept = (said.state, said.source, said.ref, said.email, said.wording)
    assert kept == ("given", "cart", str(rows(road)[1].id), "anna@shop.example", "Remind me.")


def test_without_a_consent_that_is_tied_to_it_nothing_of_a_draft_is_kept(make_road: MakeRoad) -> None:
    road = carts_on(make_road, carts__silent=False)
    meta = [{"key": "_wc_other/woo-mautic/cart-reminder", "value": "1"}]
    draft(road)
    draft(road, "otto@shop.example", meta_data=meta)
    road.run("incremental")
    assert [(cart.email, cart.state) for cart in rows(road)] == [("", "no_consent"), ("otto@shop.example", "active")]


def test_a_shop_that_does_not_know_drafts_gives_the_others_and_is_asked_for_them_once(
    make_road: MakeRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished_orders, "UNFINISHED", ("unknown-draft", "pending", "failed"))
    monkeypatch.setattr(unfinished_orders, "DRAFTS", ("unknown-draft",))
    road = carts_on(make_road)
    draft(road, "otto@shop.example", "pending")
    for _ in range(2):
        assert road.run("incremental").state == "COMPLETED"
    assert [cart.email for cart in rows(road)] == ["otto@shop.example"]
    assert [call.status for call in road.store.calls if "/orders" in call.path].count(400) == 1


def test_a_webhook_brings_the_draft_in_the_same_transaction(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    body = json.dumps(draft(road)).encode()
    deliver(road, body)
    assert (only(road).email, only(road).key) == ("anna@shop.example", f"order:{json.loads(body)['id']}")


def deliver(road: Road, body: bytes) -> None:
    with road.services.db.write() as session:
        connector = session.scalars(select(Connector)).one()
        secrets = road.services.secrets(connector) | {"webhook_secret": "s" * 32}
        connector.secrets = road.services.vault.seal(secrets)
        path = connector.webhook_path
    signature = base64.b64encode(hmac.new(b"s" * 32, body, hashlib.sha256).digest()).decode()
    headers = {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signature}
    assert webhooks.receive(road.services, path, headers, body) == 200
