"""Reconciliation of what people have beside profile and orders: subscriptions of the store, and RFM classes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.identity import person_key_of
from integration.models.buyer_score import BuyerScore
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.records import Score
from integration.sandbox.store import demo_catalogue
from integration.streams import scores
from tests.operations.reconciliation.conftest import Bench, counts
from tests.road.conftest import Road

ADA, GUEST = "ada@example.com", "guest@example.com"


@pytest.fixture
def bench(make_road: Callable[..., Road]) -> Bench:
    """Return a customer and a guest with an order each; both have a subscription and classes, all of it in Mautic."""
    road = make_road(
        orders__subscriptions=True, orders__rfm=True, orders__create_fields=True, orders__product_tags=False
    )
    road.store.state.has_subscriptions = True
    demo_catalogue.stock(road.store.state)
    road.store.shop.register_customer(email=ADA, first_name="Ada")
    entry = next(each for each in road.store.state.products.values() if each["sku"] == "SKU-002")
    lines = [{"product_id": entry["id"], "quantity": 1}]
    for email in (ADA, GUEST):
        road.order(email)
        road.store.shop.subscribe(billing={"email": email}, line_items=lines)
    road.run()
    score(road)
    return Bench(road)


def score(road: Road) -> None:
    """Give both buyers the classes that a night would give them."""
    now = road.services.clock.now()
    with road.services.db.write() as session:
        for email in (ADA, GUEST):
            row = BuyerScore(connector_id=road.connector_id, person_key=person_key_of(email), scored_at=now)
            row.recency, row.frequency, row.monetary = 5, 4, 3
            session.add(row)
            session.flush()
            change = scores.change_of(Score(row.id, 5, 4, 3), row.person_key, now)
            records.accept(session, now, road.connector_id, [change])
    road.work()


def test_what_was_just_sent_is_right(bench: Bench) -> None:
    assert bench.contact(ADA).values["mautic_woo_rfm"] == "543"
    assert "sku-002_active" in bench.road.mautic.state.tag_names(bench.contact(GUEST))
    row = bench.reconcile()
    assert (row.state, counts(row)) == ("COMPLETED", {}), [each.detail for each in bench.drift()]


def test_lost_tags_and_classes_are_found_and_written_again(bench: Bench) -> None:
    bench.contact(GUEST).tags.clear()
    bench.change(ADA, mautic_woo_rfm="111", firstname="Adele")
    assert counts(bench.reconcile()) == {"differs": 2}
    found = {each.source_kind: each.detail for each in bench.drift()}
    assert found["order"]["tag:sku-002_active"] == [True, False]
    assert found["contact"] == {"firstname": ["Ada", "Adele"], "mautic_woo_rfm": ["543", "111"]}
    assert bench.repair() == 2
    assert "sku-002_active" in bench.road.mautic.state.tag_names(bench.contact(GUEST))
    assert bench.contact(ADA).values["mautic_woo_rfm"] == "543"
    assert counts(bench.reconcile()) == {}, [each.detail for each in bench.drift()]


def test_an_address_that_was_changed_in_mautic_is_found_though_classes_name_none(bench: Bench) -> None:
    bench.change(ADA, email="other@example.com")
    bench.reconcile()
    assert [each.detail.get("email") for each in bench.drift() if each.kind == "differs"] == [
        [ADA, "other@example.com"]
    ]


def test_nothing_is_found_where_the_settings_are_off(bench: Bench) -> None:
    off = {"orders.subscriptions": False, "orders.rfm": False}
    connectors.configure(bench.road.services, bench.road.connector_id, off)
    bench.contact(GUEST).tags.clear()
    bench.change(ADA, mautic_woo_rfm="111")
    assert counts(bench.reconcile()) == {}, [each.detail for each in bench.drift()]


def test_a_store_that_gives_no_subscriptions_any_more_is_compared_by_the_rest(bench: Bench) -> None:
    bench.road.store.faults.command({"kind": "status", "value": 403, "path": "/wp-json/wc/v3/subscriptions"})
    bench.change(ADA, mautic_woo_rfm="111")
    row = bench.reconcile()
    assert (row.state, counts(row)) == ("COMPLETED", {"differs": 1})
    with bench.road.services.db.read() as session:
        assert len(session.scalars(select(BuyerScore)).all()) == 2
