"""What is kept by a person goes with an erasure, whichever tables there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.identity import person_key_of
from integration.models import Base, BuyerScore, Cart, CartLeftover, Connector, ConsentEntry, Database, RecurringEntry
from integration.models.sql import table_of
from integration.operations.erasure import rows
from integration.operations.erasure.traces import Traces, gather
from tests.conftest import NOON

WHO, OTHER = "zephyrine@quill.example", "ada@example.com"
#: Tables that know people by the hash of their address and keep it on purpose.
KEPT = {"blocked_address": "whose address is not taken up again"}


@pytest.fixture
def connector_id(db: Database) -> int:
    with db.write() as session:
        connector = Connector(organisation_id=1, name="Shop", webhook_path="w", created_at=NOON, updated_at=NOON)
        session.add(connector)
        session.flush()
        return connector.id


def cart(connector_id: int, key: str, **values: Any) -> Cart:
    moments = {"created_at": NOON, "changed_at": NOON, "seen_at": NOON}
    return Cart(
        connector_id=connector_id,
        key=key,
        source="script",
        email=WHO,
        person_key=person_key_of(WHO),
        **moments,
        **values,
    )


def test_every_table_that_knows_people_by_a_key_is_gone_through() -> None:
    know = {
        table.name for table in Base.metadata.sorted_tables if {"person_key", "now_key"} & set(table.columns.keys())
    }
    taken = {table_of(part.model).name for part in rows.of(1, Traces(1, ["k"], [1], [1]))}
    assert know - taken == set(KEPT)


def test_scores_subscriptions_of_the_store_and_leftovers_go_and_consents_stay_without_the_person(
    db: Database, connector_id: int
) -> None:
    with db.write() as session:
        for who in (WHO, OTHER):
            mine = {"connector_id": connector_id, "person_key": person_key_of(who)}
            session.add(BuyerScore(**mine, recency=1, frequency=2, monetary=3, scored_at=NOON))
            session.add(RecurringEntry(**mine, recurring_id=len(who), status="active", products=[["Mug", "", 1]]))
            session.add(CartLeftover(**mine, cart_id=7, noted_at=NOON, due_at=NOON))
            for source, value in (("form", "https://shop.example/join, 192.0.2.7"), ("order", "yes")):
                said = {
                    "state": "given",
                    "source": source,
                    "ref": "1",
                    "wording": "I agree.",
                    "mark": f"{who} {source}",
                }
                session.add(ConsentEntry(**mine, email=who, value=value, said_at=NOON, created_at=NOON, **said))
    with db.write() as session:
        for part in rows.of(connector_id, Traces(connector_id, [person_key_of(WHO)])):
            while rows.take(session, part):
                pass
    with db.read() as session:
        for model in (BuyerScore, RecurringEntry, CartLeftover):
            assert list(session.scalars(select(model.person_key))) == [person_key_of(OTHER)]
        query = select(ConsentEntry).where(ConsentEntry.person_key == person_key_of(WHO)).order_by(ConsentEntry.id)
        kept = [(row.email, row.value, row.wording) for row in session.scalars(query)]
        assert kept == [("", "", "I agree."), ("", "yes", "I agree.")]
        others = session.scalars(select(ConsentEntry.email).where(ConsentEntry.person_key == person_key_of(OTHER)))
        assert others.all() == [OTHER, OTHER]


def test_coupons_are_known_that_the_store_may_have_made_and_that_a_cart_has_left_behind(
    db: Database, connector_id: int
) -> None:
    with db.write() as session:
        mine = cart(connector_id, "k1", coupon_id=11, coupon_code="RECOVER-A")
        session.add_all([mine, cart(connector_id, "k2", coupon_code="RECOVER-B"), cart(connector_id, "k3")])
        session.flush()
        left = {"connector_id": connector_id, "noted_at": NOON, "due_at": NOON + timedelta(minutes=10)}
        session.add(CartLeftover(cart_id=mine.id, coupon_code="RECOVER-C", **left))
        session.add(CartLeftover(cart_id=mine.id, coupon_id=12, coupon_code="RECOVER-D", **left))
        session.add(CartLeftover(cart_id=mine.id + 100, coupon_id=13, coupon_code="RECOVER-E", **left))
    (one,) = gather(db, WHO, [connector_id]).traces
    assert (one.coupons, one.codes) == ([11, 12], ["RECOVER-B", "RECOVER-C"])
