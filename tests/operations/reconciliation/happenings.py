"""What may happen to four people of whom nothing differed, before they are compared again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from integration.identity import person_key_of
from integration.models import Cart, CartState, Connector, ContactLink, FormerAddress, LedgerEntry
from integration.models.erasure import BlockedAddress
from integration.models.person_stamp import PersonStamp
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import order_ledger
from tests.conftest import NOON
from tests.operations.reconciliation.conftest import Bench
from tests.operations.reconciliation.people import ADA, BOB, CYD, EVERYBODY, GUEST, NOBODY

Act = Callable[[Bench], object]


def configured(**values: Any) -> Act:
    settings = {name.replace("__", "."): value for name, value in values.items()}
    return lambda bench: connectors.configure(bench.road.services, bench.road.connector_id, settings)


def stored(make: Callable[[int], Any]) -> Act:
    def act(bench: Bench) -> None:
        with bench.road.services.db.write() as session:
            session.add(make(bench.road.connector_id))

    return act


def link(**values: Any) -> Act:
    """The link of Ada is another one; without values it is gone."""

    def act(bench: Bench) -> None:
        mine = (ContactLink.connector_id == bench.road.connector_id, ContactLink.person_key == person_key_of(ADA))
        with bench.road.services.db.write() as session:
            session.execute((update(ContactLink).values(**values) if values else delete(ContactLink)).where(*mine))

    return act


def ledger(**values: Any) -> Act:
    """The ledger says something else of Ada's order."""

    def act(bench: Bench) -> None:
        mine = LedgerEntry.connector_id == bench.road.connector_id
        with bench.road.services.db.write() as session:
            session.execute(update(LedgerEntry).values(**values).where(mine, LedgerEntry.order_id == of_ada(bench)))

    return act


def of_ada(bench: Bench) -> int:
    """Return Ada's order, which was the first."""
    with bench.road.services.db.read() as session:
        return session.scalars(select(func.min(LedgerEntry.order_id))).one()


def customer(bench: Bench, whose: str) -> int:
    number: int = next(each["id"] for each in bench.road.store.shop.customers if each["email"] == whose)
    return number


def in_shop(name: str, **fields: Any) -> Act:
    """Something is done in the shop with Ada's order."""
    return lambda bench: getattr(bench.road.store.shop, name)(of_ada(bench), **fields)


def profile(whose: str, **fields: Any) -> Act:
    return lambda bench: bench.road.store.shop.edit_customer(customer(bench, whose), **fields)


def active(bench: Bench) -> None:
    """Ada has opened an e-mail, and somebody has saved her contact without changing a value."""
    contact = bench.contact(ADA)
    contact.points, contact.last_active = 7, bench.road.mautic.state.now()
    contact.modified, contact.modified_by = bench.road.mautic.state.now(), 1


def barred(bench: Bench) -> None:
    entry = {"id": 9, "reason": 3, "comments": "", "channel": "email", "dateAdded": NOON.isoformat()}
    bench.contact(ADA).dnc.append(entry)


def gave_away(bench: Bench) -> None:
    """Ada's order is the guest's now."""
    shop = bench.road.store.shop
    billing = shop.shown(of_ada(bench))["billing"]
    shop.edit_order(of_ada(bench), billing={**billing, "email": GUEST})


def busy(bench: Bench) -> None:
    shown = bench.road.store.shop.shown(of_ada(bench))
    bench.road.arrive({**shown, "status": "processing"}, origin="full")


def other_program(bench: Bench) -> None:
    with bench.road.services.db.write() as session:
        session.execute(update(PersonStamp).values(stamp="of another program"))


def currency(bench: Bench) -> None:
    with bench.road.services.db.write() as session:
        row = session.get_one(Connector, bench.road.connector_id)
        row.store_facts = {**row.store_facts, "currency": "USD"}


def former(person: str, now: str) -> Act:
    return stored(
        lambda number: FormerAddress(
            connector_id=number, person_key=person_key_of(person), customer_id=1, now_key=person_key_of(now), email=now
        )
    )


def cart(**values: Any) -> Act:
    columns = {"key": "k", "source": "order", "created_at": NOON, "changed_at": NOON, "seen_at": NOON}
    return stored(lambda number: Cart(connector_id=number, **columns | values))


def blocked(number: int) -> BlockedAddress:
    return BlockedAddress(organisation_id=1, connector_id=number, person_key=person_key_of(ADA), blocked_at=NOON)


#: What happened -> of whom it may still be known that nothing differs.
HAPPENINGS: Mapping[str, tuple[Act, frozenset[str]]] = {
    "nothing": (lambda bench: None, EVERYBODY),
    "activity": (active, EVERYBODY),
    "a value in Mautic": (lambda bench: bench.change(ADA, city="Rome"), EVERYBODY - {ADA}),
    "a value in Mautic that is nobody's": (lambda bench: bench.change(BOB, mobile="1"), EVERYBODY - {BOB}),
    "an emptied value in Mautic": (lambda bench: bench.change(BOB, city=None), EVERYBODY - {BOB}),
    "another address in Mautic": (lambda bench: bench.change(CYD, email="sid@example.com"), EVERYBODY - {CYD}),
    "no tags in Mautic": (lambda bench: bench.contact(GUEST).tags.clear(), EVERYBODY - {GUEST}),
    "do not contact in Mautic": (barred, EVERYBODY - {ADA}),
    "the contact is gone": (lambda bench: bench.delete(GUEST), EVERYBODY - {GUEST}),
    "the contact has a twin": (lambda bench: bench.double(BOB), EVERYBODY - {BOB}),
    "a name in the shop": (profile(BOB, first_name="Robert"), EVERYBODY - {BOB}),
    "a city in the shop": (profile(ADA, billing={"city": "Rome"}), EVERYBODY - {ADA}),
    "another address in the shop": (profile(CYD, email="sid@example.com"), EVERYBODY - {CYD}),
    "the account is deleted": (
        lambda bench: bench.road.store.shop.delete_customer(customer(bench, BOB)),
        EVERYBODY - {BOB},
    ),
    "the account of a buyer is deleted": (
        lambda bench: bench.road.store.shop.delete_customer(customer(bench, ADA)),
        EVERYBODY - {ADA},
    ),
    "an order's status": (in_shop("change_status", status="refunded"), EVERYBODY - {ADA}),
    "an order's city": (in_shop("edit_order", billing={"city": "Rome"}), EVERYBODY - {ADA}),
    "a refund": (in_shop("refund", amount="1.00"), EVERYBODY - {ADA}),
    "an order in the trash": (in_shop("trash"), EVERYBODY - {ADA}),
    "an order deleted": (in_shop("delete_force"), EVERYBODY - {ADA}),
    "another order": (lambda bench: bench.road.order(BOB), EVERYBODY - {BOB}),
    "an order given away": (gave_away, EVERYBODY - {ADA, GUEST}),
    "a guest registers": (
        lambda bench: bench.road.store.shop.register_customer(email=GUEST, first_name="Gus"),
        EVERYBODY - {GUEST},
    ),
    "a tag of orders": (configured(orders__general_tags=["client"]), NOBODY),
    "a tag of customers": (configured(contacts__default_tags=["client"]), NOBODY),
    "which statuses are synced": (configured(orders__statuses=["processing"]), NOBODY),
    "tags of categories": (configured(orders__category_tags=True), NOBODY),
    "consent is asked for": (configured(consent__enabled=True, consent__customer_field="news"), NOBODY),
    "an own row": (
        configured(**{"mapping.rows": [{"kind": "order", "source": "customer_note", "alias": "company"}]}),
        NOBODY,
    ),
    "the shop's currency": (currency, NOBODY),
    "another program": (other_program, NOBODY),
    "no link": (link(), EVERYBODY - {ADA}),
    "a forgotten value": (link(fields={}), EVERYBODY - {ADA}),
    "a link to another contact": (link(contact_id=99), EVERYBODY - {ADA}),
    "written since": (link(written_at=NOON), EVERYBODY - {ADA}),
    "another status in the ledger": (ledger(status="refunded"), EVERYBODY - {ADA}),
    # These two the list of orders puts right; who was to lose the order is told of it.
    "gone in the ledger": (ledger(status=order_ledger.GONE, gone_at=NOON), EVERYBODY),
    "another owner in the ledger": (ledger(person_key=person_key_of(BOB)), EVERYBODY - {BOB}),
    "an event that waits": (ledger(reached_at=datetime.now(UTC)), EVERYBODY - {ADA}),
    "on its way": (busy, EVERYBODY - {ADA}),
    "blocked": (stored(blocked), EVERYBODY - {ADA}),
    "left the address": (former(ADA, "eve@example.com"), EVERYBODY - {ADA}),
    "came from another address": (former("eve@example.com", ADA), EVERYBODY - {ADA}),
    "a cart of the person": (cart(person_key=person_key_of(ADA)), EVERYBODY - {ADA}),
    "a cart that is over": (cart(person_key=person_key_of(ADA), state=CartState.EXPIRED), EVERYBODY),
}  # fmt: skip
