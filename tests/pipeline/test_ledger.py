"""The ledger: exact sums over one person's rows (P38)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete

from integration.clock import SetClock
from integration.identity import person_key_of
from integration.mapping import lifetime as lifetimes
from integration.models import LedgerEntry
from integration.pipeline.ingest import buyers, order_ledger
from integration.pipeline.services import Services
from integration.records import Address, LineItem, Order, OtherOrder
from integration.settings import Modules
from tests.conftest import NOON

ADA = person_key_of("ada@example.com")
PAID = ("processing", "completed")


def order(number: int, total: str = "10.00", **values: Any) -> Order:
    given = {"status": "completed", "currency": "EUR", "email": "Ada@Example.com", "minutes": number} | values
    at = NOON + timedelta(minutes=given.pop("minutes"))
    email = given.pop("email")
    return Order(
        number, str(number), total=Decimal(total), billing=Address(email=email), created_at=at, modified_at=at, **given
    )


def write(services: Services, connector_id: int, *orders: Order) -> list[order_ledger.Move]:
    with services.db.write() as session:
        return order_ledger.record(session, connector_id, orders)


def people(services: Services, connector_id: int) -> buyers.People:
    with services.db.read() as session:
        return buyers.People(session, connector_id, [ADA])


def test_every_spelling_and_only_paid_orders_count(services: Services, connector_id: int) -> None:
    write(
        services, connector_id, order(1, "10.10"), order(2, "0.20", email=" ada@EXAMPLE.com"), order(3, status="failed")
    )
    life = people(services, connector_id).lifetime(ADA, PAID, "EUR")
    assert (life.total_spent, life.order_count, life.average) == (Decimal("10.30"), 2, Decimal("5.15"))


def test_refunds_are_taken_off_and_a_full_one_counts_nowhere(services: Services, connector_id: int) -> None:
    part = order(1, "10.00", refunds=(Decimal("2.50"),))
    full = order(2, "9.00", refunds=(Decimal("4.00"), Decimal("5.00")))
    write(services, connector_id, part, full)
    life = people(services, connector_id).lifetime(ADA, PAID, "EUR")
    assert (life.total_spent, life.order_count) == (Decimal("7.50"), 1)


def test_other_currencies_are_left_out_and_counted(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1), order(2, currency="JPY"))
    life = people(services, connector_id).lifetime(ADA, PAID, "EUR")
    assert (life.order_count, life.other_currencies) == (1, 1)


def test_an_older_sighting_does_not_overwrite_a_newer_one(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1, "20.00", minutes=9))
    write(services, connector_id, order(1, "10.00", minutes=1))
    assert people(services, connector_id).lifetime(ADA, PAID, "EUR").total_spent == Decimal("20.00")


def test_a_removed_order_counts_no_more_and_names_its_person(
    services: Services, connector_id: int, clock: SetClock
) -> None:
    write(services, connector_id, order(1), order(2))
    with services.db.write() as session:
        assert order_ledger.remove(session, connector_id, 2, None) == ADA
        assert order_ledger.remove(session, connector_id, 99, None) == ""
    found = people(services, connector_id)
    assert found.lifetime(ADA, PAID, "EUR").order_count == 1
    assert found.is_latest(ADA, order(1))


@pytest.mark.parametrize(("number", "latest"), [(1, False), (2, True), (3, True)])
def test_the_latest_order_is_known(services: Services, connector_id: int, number: int, latest: bool) -> None:
    write(services, connector_id, order(1), order(2))
    assert people(services, connector_id).is_latest(ADA, order(number)) is latest


def test_an_older_sighting_of_the_latest_order_is_overtaken(services: Services, connector_id: int) -> None:
    old = order(1, status="completed")
    new = replace(old, status="refunded", modified_at=NOON + timedelta(minutes=9))
    write(services, connector_id, new)
    found = people(services, connector_id)
    assert (found.overtaken(ADA, old), found.is_latest(ADA, old), found.is_newest(ADA, old)) == (
        "refunded",
        False,
        True,
    )
    assert (found.overtaken(ADA, new), found.is_latest(ADA, new)) == ("", True)


def test_of_two_sightings_in_one_second_the_ledgers_is_the_newer(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1, status="refunded"))
    found = people(services, connector_id)
    assert found.overtaken(ADA, order(1, status="processing")) == "refunded"
    assert found.overtaken(ADA, order(1, status="refunded")) == ""


def test_an_order_without_a_date_of_change_is_never_overtaken(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1))
    assert people(services, connector_id).is_latest(ADA, replace(order(1), modified_at=None))


def test_an_order_that_changes_hands_names_who_had_it(services: Services, connector_id: int) -> None:
    assert write(services, connector_id, order(1), order(2)) == []
    moved = order(1, email="bob@example.com", minutes=5)
    assert write(services, connector_id, moved, order(2, minutes=6)) == [order_ledger.Move(moved, ADA)]
    assert write(services, connector_id, moved) == []


def test_an_older_sighting_gives_no_order_back(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1, email="bob@example.com", minutes=5))
    assert write(services, connector_id, order(1)) == []


def test_an_order_that_was_changed_since_it_went_is_there(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1, minutes=9))
    with services.db.write() as session:
        order_ledger.remove(session, connector_id, 1, NOON + timedelta(minutes=5))
    assert people(services, connector_id).lifetime(ADA, PAID, "EUR").order_count == 1
    with services.db.write() as session:
        order_ledger.remove(session, connector_id, 1, NOON + timedelta(minutes=10))
    assert people(services, connector_id).lifetime(ADA, PAID, "EUR").order_count == 0
    write(services, connector_id, order(1, minutes=9))
    assert people(services, connector_id).lifetime(ADA, PAID, "EUR").order_count == 0


def test_a_trashed_order_is_taken_from_nobody(services: Services, connector_id: int, clock: SetClock) -> None:
    write(services, connector_id, order(1))
    with services.db.write() as session:
        order_ledger.remove(session, connector_id, 1, None)
    assert write(services, connector_id, order(1, email="bob@example.com", minutes=99)) == []


def test_an_order_without_a_currency_counts_in_the_shops(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1, currency=""), order(2, "5"))
    life = people(services, connector_id).lifetime(ADA, PAID, "EUR")
    assert (life.total_spent, life.order_count, life.other_currencies) == (Decimal("15.00"), 2, 0)


def test_what_is_spent_in_two_currencies_is_no_sum_while_the_shops_is_not_known(
    services: Services, connector_id: int
) -> None:
    write(
        services,
        connector_id,
        order(1, "36.60"),
        order(2, "6100", currency="JPY"),
        order(3, currency="USD", status="x"),
    )
    life = people(services, connector_id).lifetime(ADA, PAID, "")
    assert life.unsure == ("EUR", "JPY")
    assert (life.total_spent, life.order_count, life.last_order_at) == (Decimal(0), 0, None)


@pytest.mark.parametrize(("currency", "total"), [("JPY", "6101"), ("KWD", "6100.556"), ("EUR", "6100.56")])
def test_what_is_spent_in_one_currency_is_a_sum_in_its_decimals(
    services: Services, connector_id: int, currency: str, total: str
) -> None:
    write(services, connector_id, order(1, "6100.5556", currency=currency))
    life = people(services, connector_id).lifetime(ADA, PAID, "")
    assert (str(life.total_spent), life.currency, life.unsure) == (total, currency, ())


def test_the_days_are_those_of_the_shops_zone(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1, local_date="2026-11-28"), order(2, local_date="2026-11-29"))
    life = people(services, connector_id).lifetime(ADA, PAID, "EUR")
    assert (life.first_day, life.last_day) == ("2026-11-28", "2026-11-29")


def test_the_other_orders_have_their_products_once_they_are_known(services: Services, connector_id: int) -> None:
    mug = (LineItem("Mug", 7, sku="M"),)
    write(services, connector_id, order(1, items=mug), order(2), order(3, lines_read=True), order(4, status="trash"))
    write(services, connector_id, replace(order(1, minutes=9), status="refunded"))
    assert people(services, connector_id).others(ADA, 2) == [OtherOrder("refunded", mug), OtherOrder("completed", ())]
    assert people(services, connector_id).others(ADA, 1) == [OtherOrder("completed", ()), OtherOrder("completed", None)]
    write(services, connector_id, order(2, items=mug))
    assert OtherOrder("completed", mug) in people(services, connector_id).others(ADA, 1)


CODES = ("EUR", "USD", "JPY", "KWD", "")
MONEY = st.decimals("0", "99999", places=4, allow_nan=False)
BOUGHT = st.lists(
    st.tuples(
        st.sampled_from(("completed", "processing", "failed", "refunded")),
        st.sampled_from(CODES),
        MONEY,
        st.lists(st.integers(0, 60), max_size=3),
    ),
    max_size=12,
)
#: The smallest piece of money, by hand: yen have none below one, dinars have thousandths.
SMALLEST = {"EUR": "0.01", "USD": "0.01", "JPY": "1", "KWD": "0.001"}


def by_hand(bought: list[tuple[str, str, Decimal, list[int]]]) -> dict[str, tuple[Decimal, int]]:
    """Add up a person's orders in each currency, order by order, as somebody with a pencil would (X13)."""
    sums: dict[str, tuple[Decimal, int]] = {}
    for status, code, total, parts in bought:
        code = code or "EUR"
        left = total
        for part in parts:
            left -= (total * part / 100).quantize(Decimal("0.0001"))
        left = max(left, Decimal(0)).quantize(Decimal(SMALLEST[code]), ROUND_HALF_UP)
        if status not in PAID or (parts and left == 0):
            continue
        spent, count = sums.get(code, (Decimal(0), 0))
        sums[code] = (spent + left, count + 1)
    return sums


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(BOUGHT)
def test_x13_sums_by_currency_are_those_that_one_gets_by_hand(
    services: Services, connector_id: int, bought: list[tuple[str, str, Decimal, list[int]]]
) -> None:
    with services.db.write() as session:
        session.execute(delete(LedgerEntry))
    orders = [
        order(
            number,
            str(total),
            status=status,
            currency=code,
            refunds=tuple((total * part / 100).quantize(Decimal("0.0001")) for part in parts),
        )
        for number, (status, code, total, parts) in enumerate(bought, 1)
    ]
    write(services, connector_id, *orders)
    life = people(services, connector_id).lifetime(ADA, PAID, "EUR")
    wanted = by_hand(bought)
    assert {each.currency: (each.total, each.orders) for each in life.by_currency} == wanted
    assert (life.total_spent, life.order_count) == wanted.get("EUR", (Decimal(0), 0))
    told = json.loads(lifetimes.by_currency(life.by_currency) or "{}")
    assert {code: (Decimal(each["total"]), each["orders"]) for code, each in told.items()} == wanted


def test_x13_sums_by_currency_are_sure_while_the_shops_is_not_known(services: Services, connector_id: int) -> None:
    write(services, connector_id, order(1), order(2, "500", currency="JPY"), order(3, "7", currency=""))
    life = people(services, connector_id).lifetime(ADA, PAID, "")
    assert life.unsure
    modules = Modules().with_value("orders.currency_totals", True)
    fields = lifetimes.fields(life, modules)
    assert json.loads(str(fields.pop("mautic_woo_totals_by_currency"))) == {
        "unknown": {"total": "7.00", "orders": 1},
        "EUR": {"total": "10.00", "orders": 1},
        "JPY": {"total": "500", "orders": 1},
    }
    assert fields == {}
