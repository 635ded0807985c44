"""The field map: what its rows promise, and that one more row is all that another contact field takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

from app import create_app
from integration.digests import digest
from integration.events import Kind, Origin
from integration.mapping import field_map, lifetime, scores
from integration.mapping.contacts import plan
from integration.mapping.field_map import COMPUTED, FIELD_MAP, FieldRow
from integration.mapping.field_values import CONVERTERS, person_values
from integration.mapping.fields import needs
from integration.models import Connector, Delivery, Role, User, UserSession
from integration.operations.support.diagnostics.findings import FieldFinding, State
from integration.operations.support.diagnostics.mapping import try_all
from integration.pipeline.connectors import connectors
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.plans import Plan
from integration.sandbox.mautic.contact import Contact
from integration.settings import Modules, keys
from integration.store import parse, reading
from tests.bench.world import World, world
from tests.conftest import NOON
from tests.mapping import samples
from tests.web.conftest import sign_in, text_of

EMAIL = "ada@example.com"
ALIAS = "mautic_woo_vat_number"
BOTH = (Kind.CONTACT, Kind.ORDER)
VAT = FieldRow(ALIAS, "Woo VAT number", "text", BOTH, "meta_data._vat_number", ours=True, length=30)
META = [{"key": "_vat_number", "value": "IT01234567890"}, {"key": "_other_plugin", "value": "x" * 500}]

AddRows = Callable[..., None]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Iterator[AddRows]:
    """Adds rows to the table, and touches nothing else."""

    def rows(*more: FieldRow) -> None:
        monkeypatch.setattr(field_map, "FIELD_MAP", (*FIELD_MAP, *more))
        forget()

    yield rows
    monkeypatch.undo()
    forget()


def forget() -> None:
    """Forget what was looked up in the table; it never changes while the program runs."""
    for looked_up in (field_map.rows, field_map.paths, field_map.roots, field_map.address_aliases):
        looked_up.cache_clear()


@pytest.fixture
def shop() -> Iterator[World]:
    """A shop and a Mautic in which our fields are made at first need."""
    with world(**{"orders.create_fields": True}) as made:
        yield made


def connector(shop: World) -> Connector:
    with shop.services.db.read() as session:
        return session.get_one(Connector, shop.connector_id)


def imported(shop: World) -> None:
    """Import everything from the store into Mautic."""
    run_lifecycle.start(shop.services, shop.connector_id, "initial", trigger="test", options={})
    shop.work()


def kept(shop: World, kind: Kind, number: int) -> dict[str, Any]:
    """Read one record from the store, accept it, and return what is kept of it until it is delivered."""
    client = shop.services.open_store(connector(shop))
    if kind is Kind.ORDER:
        [row] = reading.fetch_orders(client, [number])
        shop.accept([parse.order_change(row, Origin.POLL, NOON)])
    else:
        [row] = reading.fetch_customers(client, [number])
        shop.accept([parse.customer_change(row, Origin.POLL, NOON, created=False)])
    with shop.services.db.read() as session:
        payload = session.scalars(select(Delivery.payload)).one()
    assert payload is not None
    return dict(payload)


def contact(shop: World) -> Contact:
    found = shop.mautic.state.contact(EMAIL)
    assert found is not None
    return found


def finding(shop: World, kind: Kind) -> FieldFinding:
    tried = next(one for one in try_all(shop.services, connector(shop)) if one.kind is kind)
    return next(each for each in tried.fields if each.alias == ALIAS)


def order(shop: World) -> int:
    billing = {"email": EMAIL, "first_name": "Ada"}
    return int(shop.store.shop.place_order(status="completed", billing=billing, meta_data=META)["id"])


def customer(shop: World) -> int:
    return int(shop.store.shop.register_customer(email=EMAIL, first_name="Ada", meta_data=META)["id"])


@pytest.mark.parametrize(("kind", "place"), [(Kind.ORDER, order), (Kind.CONTACT, customer)])
def test_another_row_carries_a_field_from_the_store_to_mautic(
    shop: World, add: AddRows, kind: Kind, place: Callable[[World], int]
) -> None:
    add(VAT)
    assert kept(shop, kind, place(shop))["meta_data"] == [{"key": "_vat_number", "value": "IT01234567890"}]
    shop.work()
    made = next(field for field in shop.mautic.state.fields.values() if field["alias"] == ALIAS)
    assert (made["label"], made["type"], made["charLengthLimit"]) == ("Woo VAT number", "text", 30)
    assert contact(shop).values[ALIAS] == "IT01234567890"


def test_without_the_row_the_store_is_not_asked_and_nothing_is_kept(shop: World) -> None:
    assert "meta_data" not in kept(shop, Kind.ORDER, order(shop))
    shop.work()
    assert contact(shop).values["firstname"] == "Ada"
    assert ALIAS not in {field["alias"] for field in shop.mautic.state.fields.values()}


def test_another_row_is_asked_of_the_store(add: AddRows) -> None:
    asked = {"order": reading.order_fields, "customer": reading.customer_fields}
    assert all("meta_data" not in fields().split(",") for fields in asked.values())
    add(VAT, FieldRow("town", "Town", "text", (Kind.ORDER,), "shipping.city"))
    assert {name: {"meta_data", "shipping"} & set(fields().split(",")) for name, fields in asked.items()} == {
        "order": {"meta_data", "shipping"},
        "customer": {"meta_data"},
    }


def test_another_row_is_known_to_the_diagnostics(shop: World, add: AddRows) -> None:
    connectors.configure(shop.services, shop.connector_id, {"orders.create_fields": False})
    add(VAT)
    order(shop)
    customer(shop)
    lost = finding(shop, Kind.ORDER)
    assert (lost.state, lost.store) == (State.UNKNOWN_IN_MAUTIC, "IT01234567890")
    connectors.configure(shop.services, shop.connector_id, {"orders.create_fields": True})
    imported(shop)
    for kind in BOTH:
        found = finding(shop, kind)
        assert (found.state, found.sent, found.label) == (State.PRESENT, "IT01234567890", "Woo VAT number")


def test_another_row_stands_on_the_page_of_fields_and_is_made_there(shop: World, add: AddRows) -> None:
    add(VAT)
    connectors.configure(shop.services, shop.connector_id, {"orders.create_fields": False})
    with shop.services.db.write() as session:
        who = {"password_hash": "x", "session_key": "key-of-admin", "created_at": NOON}
        session.add(User(id=3, organisation_id=1, email="admin@example.com", role=Role.ADMIN, **who))
    with shop.services.db.write() as session:
        seen = {"created_at": NOON, "seen_at": NOON, "ip": "192.0.2.7"}
        session.add(UserSession(id=digest("session-of-admin"), user_id=3, **seen))
    admin = sign_in(create_app(shop.services.deployment, shop.services), "admin")
    page = f"/connectors/{shop.connector_id}/fields"
    before = text_of(admin.get(page))
    assert "Contact Sync and Order Sync write these contact fields." in before
    assert f"Woo VAT number {ALIAS} text" in before
    after = text_of(admin.post(f"{page}/create", follow_redirects=True))
    assert "7 fields were created in Mautic." in after
    assert f"Woo VAT number {ALIAS} text, 30 characters Present" in after
    assert ALIAS in {field["alias"] for field in shop.mautic.state.fields.values()}


def test_a_path_that_leads_nowhere_or_to_a_list_gives_no_value(add: AddRows) -> None:
    add(VAT, FieldRow("town", "Town", "text", (Kind.ORDER,), "shipping.city"))
    for raw in ({"shipping": "x"}, {"shipping": {"city": ["x"]}}, {"meta_data": [{"key": "_vat_number", "value": {}}]}):
        slim = parse.slim_order({"id": 1, **raw})
        assert not {"shipping", "meta_data"} & slim.keys()
        assert not {"town", ALIAS} & person_values(parse.order(slim), Kind.ORDER, Modules())[0].keys()


def test_the_payload_that_is_kept_gives_the_same_values_as_the_stores_record(add: AddRows) -> None:
    shipping = FieldRow("town", "Town", "text", (Kind.ORDER,), "shipping.city", ("billing.city",))
    add(VAT, shipping, FieldRow("method", "Method", "text", (Kind.ORDER,), "payment_method"))
    raw = {"id": 1, "status": "completed", "payment_method": "stripe", "payment_method_title": "Card"}
    raw |= {"shipping": {"city": " Rome ", "phone": "1"}, "meta_data": [*META, {"key": "_vat_number", "value": 7}]}
    change = parse.order_change(raw, Origin.POLL, NOON)
    assert change.payload["shipping"] == {"city": " Rome "}
    values = [person_values(parse.order(record), Kind.ORDER, Modules())[0] for record in (raw, change.payload)]
    assert values == [{"town": "Rome", "method": "stripe", ALIAS: 7}] * 2


def test_a_row_is_switched_by_its_setting_or_by_its_own_default(add: AddRows) -> None:
    off = dataclasses.replace(VAT, default=False)
    add(off)
    assert ALIAS not in [need.alias for need in needs(Modules())]
    add(dataclasses.replace(off, setting="contacts.phone"))
    assert ALIAS in [need.alias for need in needs(Modules())]
    assert ALIAS not in [need.alias for need in needs(Modules().with_value("contacts.phone", "no"))]


def test_a_field_is_needed_by_the_modules_that_are_on(add: AddRows) -> None:
    add(VAT)
    settings = Modules().with_value("contacts.enabled", "no")
    assert [need.modules for need in needs(Modules()) if need.alias == ALIAS] == [("contacts", "orders")]
    assert [need.modules for need in needs(settings) if need.alias == ALIAS] == [("orders",)]
    assert ALIAS not in [need.alias for need in needs(settings.with_value("orders.enabled", "no"))]


def test_another_part_of_the_address_belongs_to_the_whole(add: AddRows) -> None:
    door = FieldRow("door", "Door", "text", BOTH, "billing.door", setting="contacts.billing", group="address")
    add(door)
    made = plan(samples.customer(), Modules().contacts)
    assert isinstance(made, Plan)
    assert made.contact.fields["door"] == ""
    assert "door" in field_map.address_aliases()


@pytest.mark.parametrize("row", FIELD_MAP, ids=lambda row: f"{row.alias} of {' and '.join(row.kinds)}")
def test_a_row_names_a_setting_with_the_same_default_and_a_way_to_its_value(row: FieldRow) -> None:
    assert not row.setting or keys()[row.setting] is row.default
    if Kind.CONTACT in row.kinds:
        assert row.setting.partition(".")[0] in ("", "contacts"), "a customer is mapped with Contact Sync's settings"
    if row.converter == COMPUTED:
        assert row.source in {
            *lifetime.VALUES,
            *scores.VALUES,
            "order_data",
            "cart_data",
            "recovery_url",
            "coupon_code",
            "cart_html",
        }
    else:
        assert row.converter in CONVERTERS


@pytest.mark.parametrize("row", [*FIELD_MAP, VAT], ids=lambda row: f"{row.alias} of {' and '.join(row.kinds)}")
def test_a_row_can_be_stored_as_json(row: FieldRow) -> None:
    rows = TypeAdapter(FieldRow)
    assert rows.validate_json(rows.dump_json(row)) == row


def test_no_kind_of_record_writes_a_field_twice() -> None:
    for kind in BOTH:
        aliases = [row.alias for row in field_map.rows(kind)]
        assert len(aliases) == len(set(aliases))
