"""Which cart an order ends, what Mautic is told of it, and what becomes of it when the order comes to nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from integration.events import Origin
from integration.models import Cart, CartEvent, CartState, Connector, Delivery
from integration.pipeline.ingest import cart_orders, records
from integration.queries.carts import figures
from integration.store import parse
from integration.store.parse import CAMPAIGN_KEY
from integration.streams.carts import KIND
from tests import cart_rows
from tests.cart_rows import ANNA
from tests.carts.conftest import dates
from tests.conftest import NOON

BEN = "ben@shop.example"
FAR = 10**6


def add(session: Session, email: str = ANNA, hours: float = -2, **values: Any) -> Cart:
    """Keep a cart that Mautic has had since then, unless another state is said."""
    at = NOON + timedelta(hours=hours)
    return cart_rows.keep(session, 1, at, **{"email": email, "synced_at": at, **values})


def order(status: str = "processing", email: str = ANNA, minutes: int = 0, **values: Any) -> dict[str, Any]:
    """Return an order as the store gives it, placed at noon and changed so many minutes later."""
    row = {"id": 70, "number": "70", "status": status, "currency": "EUR", "total": "50.00", "line_items": []}
    return row | dates(minutes) | {"billing": {"email": email}} | values


def arrive(session: Session, *rows: dict[str, Any], now: datetime = NOON, origin: Origin = Origin.WEBHOOK) -> None:
    records.accept(session, now, 1, [parse.order_change(row, origin, now) for row in rows])
    session.flush()


def told(session: Session) -> list[tuple[str, str]]:
    """Return what Mautic is owed of carts: the event and whose fields it is about."""
    rows = session.scalars(select(Delivery).where(Delivery.kind == KIND).order_by(Delivery.id))
    return [(row.event, (row.payload or {})["email"]) for row in rows]


def came_by(cart: Cart) -> dict[str, Any]:
    return {"meta_data": [{"key": CAMPAIGN_KEY, "value": f"cart-{cart.id}"}]}


def test_a_cart_in_mautic_is_emptied_though_the_order_is_another_carts(session: Session) -> None:
    old, new = add(session), add(session, hours=-1, state=CartState.ACTIVE, synced_at=None, order_id=70)
    arrive(session, order())
    assert (new.state, new.proof, old.state, old.reason) == ("bought", "order", "bought", "bought")
    assert told(session) == [("recovered", ANNA)]
    assert (old.revenue, new.revenue) == ("", "")


def test_each_person_whose_cart_an_order_ends_is_told_of_once(session: Session) -> None:
    theirs, mine, other = add(session, BEN, coupon_code="RECOVER-AB"), add(session), add(session, hours=-1)
    arrive(session, order(email=ANNA, coupon_lines=[{"code": "recover-ab"}]))
    assert (theirs.state, mine.state, other.state) == ("recovered", "bought", "bought")
    assert told(session) == [("recovered", BEN), ("recovered", ANNA)]


def test_who_buys_with_another_address_is_not_reminded_of_their_other_carts(session: Session) -> None:
    best = add(session)
    other, left = add(session, hours=-1), add(session, hours=-1, state=CartState.ABANDONED, synced_at=None)
    later = add(session, hours=5)
    arrive(session, order(email="work@shop.example", **came_by(best)))
    assert [each.state for each in (best, other, left, later)] == ["recovered", "bought", "bought", "synced"]
    assert told(session) == []


def test_a_payment_that_comes_late_leaves_the_newer_cart_in_mautic(session: Session) -> None:
    cart = add(session)
    arrive(session, order("on-hold"))
    newer = add(session, hours=40)
    arrive(session, order(minutes=60 * 48), now=NOON + timedelta(hours=48))
    assert (cart.state, cart.revenue, newer.state) == ("recovered", "50.00", "synced")
    assert told(session) == []
    story = list(session.scalars(select(CartEvent.text).where(CartEvent.cart_id == cart.id).order_by(CartEvent.id)))
    assert story[-1] == "Mautic has a newer cart of this person by now, so its fields stay as they are."


def test_an_older_cart_that_was_announced_last_is_emptied(session: Session) -> None:
    cart = add(session)
    arrive(session, order("on-hold"))
    newer = add(session, hours=1)
    cart.prepared_at = NOON + timedelta(hours=2)
    arrive(session, order(minutes=180), now=NOON + timedelta(hours=3))
    assert (cart.state, newer.state) == ("recovered", "synced")
    assert told(session) == [("recovered", ANNA)]


@pytest.mark.parametrize("state", [CartState.ACTIVE, CartState.ABANDONED])
def test_a_cart_in_mautic_that_is_left_anew_waits_for_the_payment(session: Session, state: CartState) -> None:
    other, cart = add(session, state=state, due_at=NOON), add(session, hours=-1, state=state, due_at=NOON)
    arrive(session, order("on-hold"))
    assert (cart.state, cart.due_at, cart.bought_order_id) == ("synced", None, 70)
    assert (other.state, other.due_at, other.bought_order_id) == ("synced", None, None)
    arrive(session, order("completed", minutes=9))
    assert (cart.state, other.state, told(session)) == ("recovered", "bought", [("recovered", ANNA)])


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_an_order_that_comes_to_nothing_lets_go_of_the_cart_that_waits(session: Session, status: str) -> None:
    cart = add(session)
    arrive(session, order("on-hold"))
    arrive(session, order(status, minutes=5))
    assert (cart.state, cart.bought_order_id, cart.proof) == ("synced", None, "")
    arrive(session, order(id=71, number="71", minutes=9))
    assert (cart.state, cart.bought_order_id) == ("recovered", 71)


def test_who_cancels_is_not_reminded_and_whose_payment_failed_may_be(session: Session) -> None:
    cancelled, failed = add(session, state="active", synced_at=None), add(session, BEN, state="active", synced_at=None)
    arrive(session, order("on-hold"), order("pending", BEN, id=71))
    assert (cancelled.state, failed.state) == ("bought", "bought")
    arrive(session, order("cancelled", minutes=5), order("failed", BEN, minutes=5, id=71))
    assert (cancelled.state, cancelled.reason) == ("bought", "bought")
    assert (failed.state, failed.reason, failed.ended_at, failed.order_id) == ("active", "", None, 71)
    assert failed.changed_at == NOON
    arrive(session, order("pending", BEN, minutes=6, id=71), now=NOON + timedelta(hours=1))
    assert failed.state == "active"
    arrive(session, order("processing", BEN, minutes=7, id=71), now=NOON + timedelta(hours=1))
    assert (failed.state, failed.proof) == ("bought", "order")


def test_a_failed_payment_opens_no_second_cart_beside_the_one_that_goes_on(session: Session) -> None:
    cart = add(session, state="active", synced_at=None)
    arrive(session, order("pending"))
    add(session, hours=1, state="active", synced_at=None)
    arrive(session, order("failed", minutes=90), now=NOON + timedelta(hours=2))
    assert cart.state == "bought"


@pytest.mark.parametrize(
    ("later", "revenue"),
    [
        ({"refunds": [{"id": 1, "total": "-20.00"}]}, "30.00"),
        ({"status": "refunded", "refunds": [{"id": 1, "total": "-50.00"}]}, "0.00"),
        ({"status": "cancelled"}, "0.00"),
        ({"status": "completed"}, "50.00"),
    ],
)
def test_revenue_follows_what_the_order_brings_in(session: Session, later: dict[str, Any], revenue: str) -> None:
    cart = add(session, BEN, coupon_code="RECOVER-AB")
    arrive(session, order(coupon_lines=[{"code": "RECOVER-AB"}]))
    # The poll that sees the refund may have no coupon in it: the order is known by its number.
    arrive(session, order(minutes=9) | later)
    assert (cart.state, cart.revenue) == ("recovered", revenue)
    arrive(session, order(minutes=3))
    assert cart.revenue == revenue


def test_only_a_reminder_that_was_not_sent_counts_as_spared(session: Session) -> None:
    add(session)
    add(session, hours=-1, state=CartState.ACTIVE, synced_at=None)
    arrive(session, order())
    found = figures(session, 1, NOON - timedelta(days=1), NOON)
    assert (found.states, found.announced, found.spared) == ({"bought": 2}, 1, 1)


@pytest.mark.parametrize("origin", [Origin.INITIAL, Origin.FULL])
def test_history_recovers_nothing_that_was_left_after_it(session: Session, origin: Origin) -> None:
    cart = add(session)
    old = order(date_created_gmt="2025-11-28T10:00:00", date_modified_gmt="2026-11-28T11:59:00")
    arrive(session, old, order("completed", id=71, date_created_gmt=None), origin=origin)
    assert (cart.state, told(session)) == ("synced", [])


def test_a_sighting_that_is_overtaken_changes_nothing(session: Session) -> None:
    cart = add(session)
    arrive(session, order("cancelled", minutes=9))
    arrive(session, order("processing", minutes=3))
    assert (cart.state, told(session)) == ("synced", [])


def test_an_order_whose_status_is_not_told_is_no_purchase(session: Session) -> None:
    cart = add(session, state=CartState.ACTIVE, synced_at=None)
    arrive(session, order(status=""))
    assert cart.state == "active"


@pytest.mark.parametrize("campaign", ["cart-{}0", "cart-{}x", "cart-", "Cart {}", "cart-9999999999999999999"])
def test_another_campaign_is_no_proof(session: Session, campaign: str) -> None:
    cart = add(session, BEN)
    arrive(session, order(meta_data=[{"key": CAMPAIGN_KEY, "value": campaign.format(cart.id)}]))
    assert cart.state == "synced"


def test_carts_of_another_shop_are_none_of_its_business(session: Session) -> None:
    session.add(Connector(organisation_id=1, name="Other", webhook_path="q", created_at=NOON, updated_at=NOON))
    session.flush()
    cart = add(session, coupon_code="RECOVER-AB", order_id=70)
    cart.connector_id = 2
    arrive(session, order(coupon_lines=[{"code": "RECOVER-AB"}], **came_by(cart)))
    assert (cart.state, cart.proof) == ("synced", "")


def test_a_batch_of_orders_asks_once_and_reads_no_cart_in_vain(session: Session) -> None:
    rows = [order(id=FAR + n, coupon_lines=[{"code": f"C{n}"}]) for n in range(50)]
    orders = records.readable(rows)
    asked: list[str] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(str(args[2])))
    assert cart_orders.note(session, NOON, 1, orders) == []
    assert len(asked) == 1
    if engine.dialect.name == "sqlite":
        query, values = cart_orders.candidates(1, orders)
        statement = query.params(values).compile(engine, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
        assert not [step for step in plan if step.startswith("SCAN cart")], plan
