"""What is known by its stamp is what the whole road finds unchanged, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, select, update

from integration.digests import short
from integration.events import Kind
from integration.models import Cart, CartState, Connector, ConsentEntry, Delivery, FormerAddress, LedgerEntry
from integration.models.ledger import CustomerMark
from integration.models.record_stamp import RecordStamp
from integration.models.rekeying import rekey
from integration.pipeline.ingest import order_ledger
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.door_changes import BOBS, CHANGES, EVERYTHING, NOTHING, Act, configured, happen, stored
from tests.pipeline.door_shop import ADA, Shop
from tests.pipeline.imported_shop import SHOPS

MakeShop = Callable[[Services], Shop]


@pytest.fixture(params=SHOPS)
def make_shop(request: pytest.FixtureRequest) -> MakeShop:
    return SHOPS[request.param]


@pytest.fixture
def shop(services: Services, make_shop: MakeShop) -> Shop:
    shop = make_shop(services)
    shop.stamp()
    return shop


def test_what_has_not_changed_is_known_as_the_road_would_tell_it(shop: Shop) -> None:
    known = shop.known()
    assert known.keys() == EVERYTHING
    assert known == shop.found_by_page()


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_is_looked_at(shop: Shop, what: str) -> None:
    CHANGES[what][0](shop)
    known = shop.known()
    assert known.items() <= shop.found_by_page().items()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_changes_no_more_is_known_than_the_road_finds(
    services: Services, make_shop: MakeShop, data: st.DataObject
) -> None:
    shop = make_shop(services)
    shop.stamp()
    happen(shop, data)
    known = shop.known()
    assert known.items() <= shop.found_by_page().items()


def test_a_record_whose_stamp_is_gone_since_the_page_was_looked_at_is_read(shop: Shop) -> None:
    with shop.services.db.write() as session:
        door, (_, orders) = shop.pages(session)
    with shop.services.db.write() as session:
        session.execute(delete(RecordStamp).where(RecordStamp.source_id == "12"))
    with shop.services.db.write() as session:
        settled = door.settle_known(session, shop.services.clock.now(), orders)
    assert settled == {"11", "13"}
    assert [change.source_id for change in orders.completed([], settled)] == ["12"]
    with shop.services.db.read() as session:
        assert set(session.scalars(select(Delivery.source_id))) == settled


# -- what the road looks at beside the records ------------------------------------------------------------------------


def ledger(order_id: int, **values: Any) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            mine = (LedgerEntry.connector_id == shop.id, LedgerEntry.order_id == order_id)
            session.execute(update(LedgerEntry).where(*mine).values(**values))

    return act


def another_order(shop: Shop) -> None:
    with shop.services.db.write() as session:
        entry = session.get_one(LedgerEntry, (shop.id, 12))
        columns = {each.key: getattr(entry, each.key) for each in LedgerEntry.__table__.columns}
        session.add(LedgerEntry(**columns | {"order_id": 99}))


def other_program(shop: Shop) -> None:
    with shop.services.db.write() as session:
        session.execute(update(RecordStamp).values(row=short("another program")))


def of_another_account(shop: Shop) -> None:
    with shop.services.db.write() as session:
        session.execute(update(CustomerMark).where(CustomerMark.connector_id == shop.id).values(person_key=rows.BOB))


def cart(**values: Any) -> Act:
    columns = {"key": "k", "source": "order", "created_at": NOON, "changed_at": NOON, "seen_at": NOON}
    return stored(lambda shop: Cart(connector_id=shop.id, **columns | values))


BESIDE: Mapping[str, tuple[Act, frozenset[str]]] = {
    "another order of the person": (another_order, BOBS),
    "the order is gone": (ledger(11, status=order_ledger.GONE, gone_at=NOON), BOBS),
    "a newer sighting of it": (ledger(11, modified_at=rows.minutes(5)), BOBS),
    "an event waits for its live change": (ledger(11, reached_at=NOON), BOBS),
    "the order is somebody else's": (ledger(11, person_key="f" * 64), BOBS),
    "its lines are others": (ledger(11, products=[["Mug", "MUG", 12]]), BOBS),
    "the person has left the address": (
        stored(
            lambda s: FormerAddress(connector_id=s.id, person_key=ADA, customer_id=1, now_key="f" * 64, email="a@b.c")
        ),
        BOBS,
    ),
    "the person came from another address": (
        stored(
            lambda s: FormerAddress(connector_id=s.id, person_key="f" * 64, customer_id=1, now_key=ADA, email="a@b.c")
        ),
        BOBS,
    ),
    "the account is known by another address": (of_another_account, BOBS),
    "a cart of the person": (cart(person_key=ADA), frozenset({"contact:1"}) | BOBS),
    "a cart of the order": (cart(order_id=11), frozenset({"contact:1"}) | BOBS),
    "a bought cart of the order": (cart(bought_order_id=11), frozenset({"contact:1"}) | BOBS),
    "the other cart is over": (cart(person_key=ADA, state=CartState.EXPIRED), EVERYTHING),
    "another program": (other_program, NOTHING),
    "tags of categories": (configured(orders__category_tags=True), NOTHING),
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_has_changed_beside_the_records_is_looked_at(shop: Shop, what: str) -> None:
    change, may_be_known = BESIDE[what]
    change(shop)
    assert shop.known(listed=False).keys() == may_be_known


def test_a_consent_that_was_given_since_is_looked_at(services: Services) -> None:
    shop = Shop(services)
    configured(consent__enabled=True, consent__order_field="optin")(shop)
    shop.list_fields()
    for name in ("order", "later", "other"):
        shop.rows[name] = {**shop.rows[name], "asked_meta": {"optin": "no"}}
    shop.stamp()
    known = shop.known()
    assert "order:11" in known
    said = {"source": "form", "ref": "1", "said_at": NOON, "created_at": NOON, "mark": "m", "email": ""}
    stored(lambda s: ConsentEntry(connector_id=s.id, person_key=ADA, state="given", **said))(shop)
    assert shop.known().keys() == known.keys() - {"contact:1", "order:11", "order:12"}


# -- what gets no stamp -----------------------------------------------------------------------------------------------


def stamped(shop: Shop) -> set[str]:
    with shop.services.db.read() as session:
        found = session.execute(select(RecordStamp.kind, RecordStamp.source_id)).tuples().all()
    return {f"{kind}:{source_id}" for kind, source_id in found}


def undated(shop: Shop) -> None:
    dates = ("date_created_gmt", "date_modified_gmt", "date_paid_gmt", "date_completed_gmt")
    shop.rows["other"] = {**shop.rows["other"], **dict.fromkeys(dates)}


def with_coupon(shop: Shop) -> None:
    shop.rows["other"] = {**shop.rows["other"], "coupon_lines": [{"code": "RECOVER-1"}]}


NO_STAMP: Mapping[str, Act] = {
    "an order without a date": undated,
    "an order that names a cart": lambda shop: (configured(carts__enabled=True)(shop), with_coupon(shop))[1],
    "an order of which the ledger has a newer sighting": ledger(13, modified_at=rows.minutes(5)),
    "an order whose event waits": ledger(13, reached_at=NOON),
}


@pytest.mark.parametrize("what", NO_STAMP)
def test_what_may_come_to_something_by_time_gets_no_stamp(services: Services, make_shop: MakeShop, what: str) -> None:
    shop = make_shop(services)
    NO_STAMP[what](shop)
    shop.list_fields()
    shop.stamp()
    assert stamped(shop) & BOBS == NOTHING


def test_a_person_with_one_record_that_was_sent_gets_no_stamp(services: Services) -> None:
    shop = Shop(services)
    shop.rows["later"] = {**shop.rows["later"], "total": "99.00", "date_modified_gmt": "2026-11-10T09:00:00"}
    shop.stamp()
    assert stamped(shop) == {"contact:1", "order:13"}


def test_a_person_who_gets_another_key_leaves_no_stamp_behind(shop: Shop) -> None:
    with shop.services.db.write() as session:
        rekey(session.connection(), shop.id, ADA, "f" * 64)
    assert stamped(shop) == {"order:13"}


def test_all_that_is_to_be_sent_again_is_not_looked_up(shop: Shop) -> None:
    shop.options = {"resend": True}
    with shop.services.db.write() as session:
        _, pages = shop.pages(session)
    assert all(page.digests == {} and page.others([{"id": 1}]) == [{"id": 1}] for page in pages)


def test_a_first_import_looks_up_nothing(services: Services) -> None:
    shop = Shop(services)
    shop.stamp()
    shop.kind = "initial"
    with shop.services.db.write() as session:
        _, pages = shop.pages(session)
        assert all(page.stamps == {} and page.digests for page in pages)
        session.get_one(Connector, shop.id).initial_done_at = NOON
    with shop.services.db.write() as session:
        _, pages = shop.pages(session)
        assert all(page.stamps for page in pages)


def test_records_that_were_not_settled_are_read_in_the_order_of_the_page(shop: Shop) -> None:
    with shop.services.db.write() as session:
        _, (_, orders) = shop.pages(session)
    assert orders.kind is Kind.ORDER and orders.others(list(orders.rows.values())) == []
    left = orders.completed([], {"12"})
    assert [change.source_id for change in left] == ["11", "13"]
    new = replace(left[1], source_id="12")
    some = replace(orders, stamps={"11": orders.stamps["11"], "13": orders.stamps["13"]})
    assert [change.source_id for change in some.completed([new], set())] == ["11", "12", "13"]
    assert [change.source_id for change in some.completed([new], {"11"})] == ["12", "13"]
