"""RFM classes by the shop's own quantiles (X14): borders, ties, small shops, who moved, and a pass that is resumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import delete, insert, select, update

from integration.clock import SetClock
from integration.engines import buyer_scores
from integration.identity import person_key_of
from integration.mapping import scores
from integration.models import BuyerScore, Connector, ContactLink, Delivery, LedgerEntry
from integration.operations.scoring import computing, schedule
from integration.operations.scoring.buyers import Borders, Buyer, Counting
from integration.operations.scoring.report import Report
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.records import Score
from tests.conftest import NOON

PAID = ("processing", "completed")


@pytest.fixture
def shop(services: Services, connector_id: int) -> int:
    connectors.configure(services, connector_id, {"orders.rfm": True})
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.store_facts = {"currency": "EUR", "timezone": "Europe/Rome"}
        row.initial_done_at = NOON
        row.mautic_url = "http://mautic.test"
    return connector_id


def order(connector_id: int, number: int, who: str, total: str = "10.00", days: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "connector_id": connector_id,
        "order_id": number,
        "person_key": person_key_of(who),
        "status": "completed",
        "net_total": total,
        "refunded": False,
        "currency": "EUR",
        "ordered_at": NOON - timedelta(days=days),
        "local_date": "",
        "modified_at": NOON,
        **more,
    }


def sells(services: Services, *orders: Mapping[str, Any], contacts: bool = True) -> None:
    keys = sorted({row["person_key"] for row in orders})
    with services.db.write() as session:
        session.execute(insert(LedgerEntry), list(orders))
        if contacts:
            links = [
                {"connector_id": 1, "person_key": key, "contact_id": number, "fields": {}, "written_at": NOON}
                for number, key in enumerate(keys, 1)
            ]
            session.execute(insert(ContactLink), links)


def compute(services: Services, connector_id: int) -> Report:
    computing.begin(services, connector_id)
    while not computing.go_on(services, connector_id):
        with services.db.write() as session:
            session.execute(update(Delivery).values(state="delivered"))
    with services.db.read() as session:
        report = Report.of(session.get_one(Connector, connector_id).score_report)
    assert report is not None
    assert not report.going
    return report


def owed(services: Services) -> dict[str, str]:
    """Return person key -> classes of what is owed to Mautic, oldest first so that the newest stands."""
    with services.db.read() as session:
        rows = session.scalars(select(Delivery).where(Delivery.kind == "rfm").order_by(Delivery.id)).all()
    return {row.person_key: scores.classes(_score(row.payload or {})) for row in rows}


def _score(payload: Mapping[str, Any]) -> Score:
    return Score(payload["id"], payload["recency"], payload["frequency"], payload["monetary"])


def ten(connector_id: int) -> list[dict[str, Any]]:
    """Ten buyers with one order each: the first bought lately and for little, the last long ago and for much."""
    return [order(connector_id, n, f"b{n}@example.com", f"{n}.00", days=n) for n in range(1, 11)]


def test_buyers_are_parted_into_fifths(services: Services, shop: int) -> None:
    sells(services, *ten(shop))
    report = compute(services, shop)
    assert (report.buyers, report.moved, report.why) == (10, 10, "")
    assert report.counts["recency"] == report.counts["monetary"] == {str(n): 2 for n in range(1, 6)}
    # All have ordered once: equals are in one class, the lowest.
    assert report.counts["frequency"] == {"1": 10}
    found = owed(services)
    assert found[person_key_of("b1@example.com")] == "511"
    assert found[person_key_of("b10@example.com")] == "115"
    assert report.borders["spent"] == [20_000, 40_000, 60_000, 80_000]


def test_only_who_moved_is_owed(services: Services, shop: int, clock: SetClock) -> None:
    sells(services, *ten(shop))
    compute(services, shop)
    with services.db.write() as session:
        session.execute(delete(Delivery))
    assert compute(services, shop).moved == 0
    clock.advance(days=1)
    sells(services, order(shop, 11, "b10@example.com", "1.00", days=-1), contacts=False)
    report = compute(services, shop)
    assert owed(services)[person_key_of("b10@example.com")] == "555"
    assert report.moved == len(owed(services)) < 10


def test_what_counts_is_what_counts_in_the_lifetime_values(services: Services, shop: int) -> None:
    sells(
        services,
        *ten(shop),
        order(shop, 21, "failed@example.com", status="failed"),
        order(shop, 22, "back@example.com", refunded=True),
        order(shop, 23, "yen@example.com", currency="JPY"),
        order(shop, 24, "", person_key=""),
        order(shop, 25, "none@example.com", currency=""),
    )
    report = compute(services, shop)
    assert report.buyers == 11
    assert person_key_of("none@example.com") in owed(services)


def test_a_shop_with_fewer_than_five_buyers_has_no_classes(services: Services, shop: int) -> None:
    rows = ten(shop)
    sells(services, *rows)
    compute(services, shop)
    with services.db.write() as session:
        session.execute(update(LedgerEntry).where(LedgerEntry.order_id > 4).values(status="trash"))
        session.execute(delete(Delivery))
    report = compute(services, shop)
    assert "fewer than 5 buyers" in report.why
    assert (report.buyers, report.borders, report.moved) == (4, {}, 10)
    assert set(owed(services).values()) == {""}
    assert compute(services, shop).moved == 0


def test_who_has_no_order_left_that_counts_loses_the_class(services: Services, shop: int) -> None:
    sells(services, *ten(shop))
    compute(services, shop)
    with services.db.write() as session:
        session.execute(update(LedgerEntry).where(LedgerEntry.order_id == 7).values(refunded=True))
        session.execute(delete(Delivery))
    compute(services, shop)
    assert owed(services)[person_key_of("b7@example.com")] == ""


def test_who_becomes_a_contact_later_is_told_the_next_night(services: Services, shop: int) -> None:
    sells(services, *ten(shop), contacts=False)
    assert compute(services, shop).moved == 0
    with services.db.write() as session:
        key = person_key_of("b1@example.com")
        session.add(ContactLink(connector_id=shop, person_key=key, contact_id=5, fields={}, written_at=NOON))
    assert compute(services, shop).moved == 1


def test_without_the_shops_currency_several_are_not_added_up(services: Services, shop: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, shop).store_facts = {}
    sells(services, *ten(shop))
    assert compute(services, shop).currency == "EUR"
    sells(services, order(shop, 11, "b1@example.com", currency="JPY"), contacts=False)
    report = compute(services, shop)
    assert "EUR, JPY" in report.why
    assert not report.borders


def test_a_pass_is_resumed_where_it_stood_and_waits_for_room(
    services: Services, shop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "PAGE_BUYERS", 3)
    monkeypatch.setattr(computing, "OPEN_MAX", 4)
    sells(services, *ten(shop))
    computing.begin(services, shop)
    assert not computing.go_on(services, shop)
    assert len(owed(services)) == 6
    assert not computing.go_on(services, shop)
    with services.db.write() as session:
        session.execute(update(Delivery).values(state="delivered"))
    assert computing.go_on(services, shop)
    with services.db.read() as session:
        report = Report.of(session.get_one(Connector, shop).score_report)
        assert len(session.scalars(select(BuyerScore)).all()) == 10
    assert report is not None
    assert (report.moved, sum(report.segments.values()), report.counts["frequency"]) == (10, 10, {"1": 10})


def test_it_begins_at_once_and_then_each_night_by_the_shops_clock(
    services: Services, shop: int, clock: SetClock
) -> None:
    sells(services, *ten(shop))
    assert buyer_scores.tick(services) == 1
    first = report_at(services, shop)
    clock.advance(hours=13)  # 2 in the night in Rome
    assert buyer_scores.tick(services) == 0
    clock.advance(hours=1, minutes=1)
    assert buyer_scores.tick(services) == 1
    assert report_at(services, shop) > first
    assert buyer_scores.tick(services) == 0
    with services.db.write() as session:
        schedule.bring_forward(session, clock.now(), shop)
    assert buyer_scores.tick(services) == 1


@pytest.mark.parametrize("off", [{"orders.rfm": False}, {"orders.enabled": False}])
def test_nothing_is_computed_where_it_is_off(services: Services, shop: int, off: dict[str, bool]) -> None:
    connectors.configure(services, shop, off)
    sells(services, *ten(shop))
    assert buyer_scores.tick(services) == 0


def report_at(services: Services, connector_id: int) -> str:
    with services.db.read() as session:
        report = Report.of(session.get_one(Connector, connector_id).score_report)
    assert report is not None
    return report.at


# -- the classes by themselves ------------------------------------------------------------------------------------


def by_hand(values: Sequence[int]) -> list[int]:
    """Return the class of each value, told by counting: 1 and one more for each fifth that lies below it."""
    ordered = sorted(values)
    borders = [ordered[-(-len(values) * part // 5) - 1] for part in range(1, 5)]
    return [1 + sum(value > border for border in borders) for value in values]


AMOUNTS = st.lists(st.integers(0, 30), min_size=5, max_size=40)


@given(AMOUNTS)
def test_equals_are_in_one_class_more_is_never_a_lower_one_and_no_class_is_too_large(values: list[int]) -> None:
    classes = by_hand(values)
    by_value = dict(zip(values, classes, strict=True))
    assert all(by_value[value] == found for value, found in zip(values, classes, strict=True))
    assert [by_value[value] for value in sorted(by_value)] == sorted(by_value.values())
    # No value that is in no tie with its neighbours makes a class larger than a fifth, rounded up.
    if len(set(values)) == len(values):
        assert max(Counter(classes).values()) <= -(-len(values) // 5)


@pytest.mark.parametrize("values", [[5] * 7, [1, 1, 1, 1, 9], list(range(12)), [0, 0, 3, 3, 3, 3, 9, 9]])
def test_the_database_finds_the_same_classes(services: Services, shop: int, values: list[int]) -> None:
    rows = [order(shop, n, f"b{n}@example.com", f"{value}.00") for n, value in enumerate(values, 1)]
    sells(services, *rows)
    with services.db.read() as session:
        counting = Counting(shop, PAID, "EUR")
        borders = counting.borders(session, counting.count(session))
        found = {each.person_key: borders.classes(each)[2] for each in counting.page(session, "", 100)}
    keys = [person_key_of(f"b{n}@example.com") for n in range(1, len(values) + 1)]
    assert [found[key] for key in keys] == by_hand(values)


def test_sums_are_exact_and_huge_orders_break_nothing(services: Services, shop: int) -> None:
    sells(
        services,
        *(order(shop, n, "ada@example.com", "0.10") for n in range(1, 31)),
        order(shop, 40, "bob@example.com", "3.00"),
        order(shop, 41, "eve@example.com", "9999999999999999"),
    )
    with services.db.read() as session:
        found = {each.person_key: each.spent for each in Counting(shop, PAID, "EUR").page(session, "", 100)}
    assert found[person_key_of("ada@example.com")] == found[person_key_of("bob@example.com")] == 30_000
    assert found[person_key_of("eve@example.com")] == 10**16


def test_every_combination_of_classes_has_a_segment() -> None:
    named = {
        (r, f, m): scores.segment(Score(1, r, f, m)) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)
    }
    assert set(named.values()) == set(scores.SEGMENTS)
    assert (named[5, 5, 5], named[1, 1, 1], named[1, 5, 5]) == ("champions", "lapsed", "at_risk")
    assert scores.segment(Score(1)) == scores.classes(Score(1)) == ""
    assert max(map(len, scores.SEGMENTS)) <= 10


def test_a_border_is_not_in_the_class_above_it() -> None:
    moments = tuple(NOON + timedelta(days=n) for n in range(4))
    borders = Borders(moments, (1, 2, 3, 4), (10, 20, 30, 40))
    assert borders.classes(Buyer("a", NOON, 1, 10)) == (1, 1, 1)
    assert borders.classes(Buyer("a", NOON + timedelta(days=9), 5, 41)) == (5, 5, 5)
