"""What may happen to a shop all of whose records are in Mautic, before it is synced again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete, update

from integration.models import (
    Connector,
    ConnectorState,
    ContactLink,
    FollowUpMark,
    Hold,
)
from integration.models.erasure import BlockedAddress
from integration.models.follow_up import MarkState
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.pipeline.connectors import connectors
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.door_shop import ADA, Shop

Act = Callable[[Shop], None]


def configured(**values: Any) -> Act:
    return lambda shop: connectors.configure(
        shop.services, shop.id, {k.replace("__", "."): v for k, v in values.items()}
    )


def stored(make: Callable[[Shop], Any]) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            session.add(make(shop))

    return act


def written(name: str, **fields: Any) -> Act:
    def act(shop: Shop) -> None:
        shop.rows[name] = {**shop.rows[name], **fields}

    return act


def billed(name: str, **fields: str) -> Act:
    def act(shop: Shop) -> None:
        row = shop.rows[name]
        shop.rows[name] = {**row, "billing": {**row["billing"], **fields}}

    return act


def of_connector(**values: Any) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            connector = session.get_one(Connector, shop.id)
            for name, value in values.items():
                setattr(connector, name, value)

    return act


def unlinked(shop: Shop) -> None:
    with shop.services.db.write() as session:
        session.execute(delete(ContactLink).where(ContactLink.connector_id == shop.id, ContactLink.person_key == ADA))


def forgotten(shop: Shop) -> None:
    """Mautic has lost a field of Ada's since."""
    with shop.services.db.write() as session:
        link = session.get(ContactLink, (shop.id, ADA))
        if link is not None:
            link.fields = {key: value for key, value in link.fields.items() if not key.endswith(".city")}


def marked(state: str | None) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            of_order = (FollowUpMark.connector_id == shop.id, FollowUpMark.order_id == "11")
            gone, kept = delete(FollowUpMark), update(FollowUpMark).values(state=state)
            session.execute((gone if state is None else kept).where(*of_order))

    return act


def unanswered(shop: Shop) -> None:
    with shop.services.db.write() as session:
        call = UnansweredCall(connector_id=shop.id, token="t" * 32, sent_at=NOON, rows=1, pause_s=1.0, looks=0)
        call.look_at = rows.minutes(60)
        session.add(call)
        session.flush()
        session.add(UnansweredPerson(connector_id=shop.id, person_key=ADA, call_id=call.id))


def resent(shop: Shop) -> None:
    shop.options = {"resend": True}


def gave_away(shop: Shop) -> None:
    """The order is somebody else's now."""
    billed("later", email="carl@example.com")(shop)
    written("later", date_modified_gmt="2026-11-03T09:00:00")(shop)


LATER = {"date_modified_gmt": "2026-11-10T09:00:00"}
#: What happened -> what may be told unchanged all the same.
EVERYTHING = frozenset({"contact:1", "order:11", "order:12", "order:13"})
BOBS = frozenset({"order:13"})
NOTHING: frozenset[str] = frozenset()
CHANGES: Mapping[str, tuple[Act, frozenset[str]]] = {
    "a tag of orders": (configured(orders__general_tags=["buyer", "new"]), frozenset({"contact:1"})),
    "a tag of customers": (configured(contacts__default_tags=["client"]), BOBS),
    "what counts as paid": (configured(orders__paid_statuses=["processing"]), frozenset({"contact:1"})),
    "which statuses are synced": (configured(orders__statuses=["processing"]), NOTHING),
    "consent is asked for": (configured(consent__enabled=True, consent__order_field="optin"), NOTHING),
    "an own row": (
        configured(**{"mapping.rows": [{"kind": "order", "source": "customer_note", "alias": "company"}]}),
        frozenset({"contact:1"}),
    ),
    "Mautic lost a field that we write": (lambda shop: shop.list_fields("city"), EVERYTHING),
    "the list of fields is old": (of_connector(fields_at=rows.minutes(-60)), NOTHING),
    "the shop's currency": (of_connector(store_facts={"currency": "USD"}), frozenset({"contact:1"})),
    "no Mautic": (of_connector(mautic_url=""), NOTHING),
    "read only": (of_connector(state=ConnectorState.READ_ONLY), NOTHING),
    "the link is gone": (unlinked, BOBS),
    "a value was forgotten": (forgotten, BOBS),
    "a note was only begun": (marked(MarkState.STARTED), BOBS),
    "a note was not made": (marked(None), BOBS),
    "the record is dead": (stored(lambda s: rows.delivery(s.id, "11", "dead", died_at=NOON)), BOBS),
    "another of the person's is dead": (stored(lambda s: rows.delivery(s.id, "99", "dead", died_at=NOON)), BOBS),
    "the record is partial": (stored(lambda s: rows.delivery(s.id, "11", partial=True)), BOBS),
    "the person has something waiting": (stored(lambda s: rows.delivery(s.id, "98", "waiting")), BOBS),
    "the person has something out": (stored(lambda s: rows.delivery(s.id, "97", "leased", lease_token="x")), BOBS),
    "a call has no answer": (unanswered, BOBS),
    "the person is blocked": (
        stored(lambda s: BlockedAddress(organisation_id=1, connector_id=s.id, person_key=ADA, blocked_at=NOON)),
        BOBS,
    ),
    "Mautic is held": (
        stored(
            lambda s: Hold(
                connector_id=s.id, service="mautic", code="x", sentence="", since=NOON, probe_at=rows.minutes(9)
            )
        ),
        NOTHING,
    ),  # fmt: skip
    "all is to be sent again": (resent, NOTHING),
    "an order of somebody else": (gave_away, frozenset({"contact:1"}) | BOBS),
    "a first name": (written("customer", first_name="Augusta", **LATER), BOBS),
    "a city": (billed("customer", city="Roma"), BOBS),
    "a total": (written("order", total="29.00", **LATER), BOBS),
    "a status": (written("order", status="refunded", **LATER), BOBS),
    "a role": (written("customer", role="shop_manager"), EVERYTHING),
}


#: The values of records that are mapped to a field of a contact, tag or note.
VALUES = [
    ("customer", "billing", name)
    for name in ("first_name", "last_name", "company", "address_1", "city", "postcode", "phone", "country")
] + [("later", "billing", name) for name in ("first_name", "city", "country")]  # fmt: skip


def happen(shop: Shop, data: st.DataObject) -> None:
    """Let up to two things happen to the shop, and up to two values of its records be others."""
    for name in data.draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2, unique=True)):
        CHANGES[name][0](shop)
    for name, part, key in data.draw(st.lists(st.sampled_from(VALUES), max_size=2, unique=True)):
        value = data.draw(st.sampled_from(("Milano", "IT", "", "Zoë", "  Ada ")))
        shop.rows[name] = {**shop.rows[name], part: {**shop.rows[name][part], key: value}}
