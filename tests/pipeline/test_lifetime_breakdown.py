"""The sums of a person's orders: each one is counted or has a reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.queries import lifetime_breakdown
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.rows import ADA, delivery


def added(services: Services, connector_id: int) -> lifetime_breakdown.Sums:
    with services.db.read() as session:
        return lifetime_breakdown.add_up(session, session.get_one(Connector, connector_id), ADA)


def test_each_order_is_counted_or_has_a_reason(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"currency": "EUR"}
    rows.store(
        services,
        rows.entry(connector_id, 1, net_total="10.10"),
        rows.entry(connector_id, 2, "processing", net_total="0.20"),
        rows.entry(connector_id, 3, "on-hold"),
        rows.entry(connector_id, 4, refunded=True, net_total="0"),
        rows.entry(connector_id, 5, currency="JPY"),
        rows.entry(connector_id, 6, "trash"),
        rows.entry(connector_id, 7, person_key=rows.BOB),
        delivery(connector_id, "2", number="WC-2"),
    )
    found = added(services, connector_id)
    assert (found.lifetime.total_spent, found.lifetime.order_count, found.more) == (Decimal("10.30"), 2, 0)
    assert [share.order_id for share in found.shares] == [6, 5, 4, 3, 2, 1]
    assert sum((share.net for share in found.shares if share.counted), Decimal(0)) == found.lifetime.total_spent
    whys = {share.order_id: share.why for share in found.shares}
    assert [whys[2], whys[1]] == ["", ""]
    assert "on-hold" in whys[3]
    assert "refunded in full" in whys[4]
    assert "JPY" in whys[5]
    assert "trash" in whys[6]
    assert {share.order_id: share.number for share in found.shares}[2] == "WC-2"


def test_a_long_list_of_orders_is_cut_and_counted_in_full(services: Services, connector_id: int) -> None:
    rows.store(services, *(rows.entry(connector_id, n, ordered_at=NOON + timedelta(hours=n)) for n in range(1, 131)))
    found = added(services, connector_id)
    assert (len(found.shares), found.more, found.lifetime.order_count) == (100, 30, 130)
    assert found.shares[0].order_id == 130


def test_what_mautic_cannot_be_told_is_known(services: Services, connector_id: int) -> None:
    rows.store(services, rows.entry(connector_id, 1, "trash"))
    assert added(services, connector_id).zero
    connectors.configure(services, connector_id, {"orders.lifetime": False})
    assert not added(services, connector_id).zero


def test_orders_in_two_currencies_say_why_they_are_not_added_up(services: Services, connector_id: int) -> None:
    rows.store(
        services,
        rows.entry(connector_id, 1, net_total="36.60"),
        rows.entry(connector_id, 2, net_total="6100.00", currency="JPY"),
    )
    found = added(services, connector_id)
    assert "the paid orders are in EUR, JPY" in found.unsure
    assert [(share.amount, share.currency, share.counted) for share in found.shares] == [
        *(("6100", "JPY", False), ("36.60", "EUR", False)),
    ]


def test_sums_by_currency_are_told_where_there_are_several(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"currency": "EUR"}
    rows.store(services, rows.entry(connector_id, 1, net_total="36.60"))
    assert added(services, connector_id).by_currency == ()
    rows.store(services, rows.entry(connector_id, 2, net_total="6100.00", currency="JPY"))
    found = added(services, connector_id)
    assert [(each.currency, each.text, each.orders) for each in found.by_currency] == [
        *(("EUR", "36.60", 1), ("JPY", "6100", 1)),
    ]
    assert found.total == "36.60"
