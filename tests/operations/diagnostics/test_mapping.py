"""Mapping diagnostics: one record tried field by field, on both databases, with nothing sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from integration.clock import SetClock
from integration.config import Deployment
from integration.events import Kind
from integration.identity import person_key_of
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, ContactLink, Delivery, FollowUpMark, SyncLogEntry
from integration.models.database import Database
from integration.operations.support.diagnostics.findings import FieldFinding, State
from integration.operations.support.diagnostics.mapping import Tried, as_dict, problems, try_all
from integration.pipeline.connectors import connectors, field_list
from integration.pipeline.ingest import order_ledger
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.store import parse
from tests.bench.world import whereabouts
from tests.conftest import NOON

EMAIL = "ada@example.com"


@dataclass
class Shop:
    """A connector between two stand-ins, and the acts of a test."""

    services: Services
    connector_id: int
    store: StoreServer
    mautic: MauticServer

    def configure(self, **changes: Any) -> None:
        values = {key.replace("__", "."): value for key, value in changes.items()}
        connectors.configure(self.services, self.connector_id, values)

    def order(self, status: str = "completed", email: str = EMAIL, **billing: str) -> dict[str, Any]:
        filled = {"first_name": "Ada", "last_name": "Lovelace", "email": email, **billing}
        made = self.store.shop.place_order(status=status, billing=filled)
        return self.store.shop.shown(made["id"])

    def customer(self, **values: Any) -> int:
        client = self.services.open_store(self.connector())
        made, _ = client.post("customers", {"email": EMAIL, **values})
        return int(made["id"])

    def connector(self) -> Connector:
        with self.services.db.read() as session:
            return session.get_one(Connector, self.connector_id)

    def tried(self, kind: Kind, record_id: int | None = None) -> Tried:
        ids = {} if record_id is None else {kind: record_id}
        return next(one for one in try_all(self.services, self.connector(), ids) if one.kind is kind)


@pytest.fixture
def shop(db: Database, deployment: Deployment, store: StoreServer, mautic: MauticServer) -> Iterator[Shop]:
    services = open_services(deployment, database=db, clock=SetClock(NOON))
    number = connectors.create(services, organisation_id=1, name="Shop", **whereabouts(store, mautic))
    yield Shop(services, number, store, mautic)


def field(tried: Tried, alias: str) -> FieldFinding:
    return next(finding for finding in tried.fields if finding.alias == alias)


def state(tried: Tried, alias: str) -> str:
    return field(tried, alias).state.value


def test_the_newest_order_is_shown_field_by_field(shop: Shop) -> None:
    shop.order()
    newest = shop.order(country="DE", city="Berlin", phone="030 1")
    tried = shop.tried(Kind.ORDER)
    assert (tried.title, tried.state) == (f"order {newest['id']}", "written")
    assert {alias: state(tried, alias) for alias in ("email", "firstname", "city", "country", "phone", "company")} == {
        "email": "PRESENT",
        "firstname": "PRESENT",
        "city": "PRESENT",
        "country": "PRESENT",
        "phone": "PRESENT",
        "company": "MISSING",
    }
    country = field(tried, "country")
    assert (country.store, country.sent) == ("DE", "Germany")
    assert all(finding.sentence.endswith(".") for finding in tried.fields)


def test_nothing_is_written_anywhere(shop: Shop) -> None:
    shop.order()
    shop.configure(orders__notes=True)
    try_all(shop.services, shop.connector())
    assert all(call.method == "GET" or "/token" in call.path for call in shop.mautic.calls)
    with shop.services.db.read() as session:
        for table in (Delivery, SyncLogEntry, FollowUpMark, ContactLink):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_fields_that_mautic_lacks_are_named(shop: Shop) -> None:
    shop.order()
    tried = shop.tried(Kind.ORDER)
    lost = field(tried, "mautic_woo_order_count")
    assert lost.state is State.UNKNOWN_IN_MAUTIC
    assert "Mautic has no field" in lost.sentence
    assert (lost.store, lost.sent) == (1, None)
    assert problems([tried]) == sum(f.state is State.UNKNOWN_IN_MAUTIC for f in tried.fields)


def test_an_order_that_the_ledger_has_not_met_counts_in_the_sums(shop: Shop) -> None:
    order = shop.order()
    assert field(shop.tried(Kind.ORDER), "mautic_woo_order_count").store == 1
    with shop.services.db.write() as session:
        order_ledger.record(session, shop.connector_id, [parse.order(order)])
    assert field(shop.tried(Kind.ORDER), "mautic_woo_order_count").store == 1


def test_values_that_do_not_fit(shop: Shop) -> None:
    shop.order(country="XX", city="C" * 100, company="<b></b>")
    with shop.services.db.write() as session:
        # Mautic 5.2 does not tell the length of a field; here a refusal has.
        field_list.learn_limits(session, NOON, shop.connector_id, [{"city": 64}])
    tried = shop.tried(Kind.ORDER)
    assert (state(tried, "country"), state(tried, "city"), state(tried, "company")) == (
        "INVALID",
        "SHORTENED",
        "INVALID",
    )
    assert "100" in field(tried, "city").sentence
    assert len(str(field(tried, "city").sent)) < 100
    assert field(tried, "country").store == "XX"


def test_an_address_that_mautic_would_garble_fails_the_record(shop: Shop) -> None:
    shop.order(email="ada&co@example.com")
    tried = shop.tried(Kind.ORDER)
    assert (tried.state, tried.code, state(tried, "email")) == ("failed", "email_characters", "INVALID")
    assert tried.hint.endswith(".")
    assert state(tried, "firstname") == "PRESENT"


def test_an_older_order_keeps_the_newer_ones_values(shop: Shop) -> None:
    Fields(shop.services.open_mautic(shop.connector())).create_all(needs(shop.services.modules(shop.connector())))
    older, newer = shop.order(city="Rome"), shop.order(city="Turin")
    with shop.services.db.write() as session:
        order_ledger.record(session, shop.connector_id, [parse.order(older), parse.order(newer)])
    tried = shop.tried(Kind.ORDER, older["id"])
    assert (state(tried, "city"), state(tried, "mautic_woo_order_data")) == ("KEPT", "KEPT")
    assert "newer order" in field(tried, "city").sentence
    assert field(tried, "mautic_woo_order_count").store == 2


def test_a_customer_without_a_name_takes_the_billing_name(shop: Shop) -> None:
    number = shop.customer(billing={"first_name": "Grace", "last_name": "Hopper"}, first_name="", last_name="")
    tried = shop.tried(Kind.CONTACT, number)
    finding = field(tried, "firstname")
    assert (finding.state, finding.sent) == (State.DEFAULT_USED, "Grace")
    assert "billing first name" in finding.sentence


def test_the_newest_customer_with_a_synced_role_is_taken(shop: Shop) -> None:
    number = shop.customer()
    tried = shop.tried(Kind.CONTACT)
    assert (tried.source_id, tried.state) == (str(number), "written")


def test_tags_and_follow_ups_are_listed(shop: Shop) -> None:
    order = shop.order()
    shop.configure(
        orders__notes=True,
        orders__general_tags="shop",
        orders__segments={"completed": 3},
        orders__emails={"completed": 8},
    )
    with shop.services.db.write() as session:
        session.add(
            FollowUpMark(
                connector_id=shop.connector_id,
                order_id=str(order["id"]),
                status="completed",
                action="create_note",
                state="done",
                started_at=NOON,
            )
        )
    tried = shop.tried(Kind.ORDER)
    assert "shop" in tried.tags
    assert tried.follow_ups == (
        "A note for the status “completed” was sent before, so it would not go again.",
        "The contact would be added to segment 3.",
        "The e-mail 8 for the status “completed” would be sent.",
    )


def test_a_segment_that_was_added_to_before_is_said(shop: Shop) -> None:
    order = shop.order()
    shop.configure(orders__segments={"completed": 3})
    key = {"connector_id": shop.connector_id, "order_id": str(order["id"]), "status": "completed"}
    with shop.services.db.write() as session:
        link = {"person_key": person_key_of(EMAIL), "contact_id": 77, "fields": {}, "written_at": NOON}
        session.add(ContactLink(connector_id=shop.connector_id, **link))
        session.add(FollowUpMark(**key, action="segment:3", state="done", contact_id=77, started_at=NOON))
    [said] = shop.tried(Kind.ORDER).follow_ups
    assert said == "The contact was added to segment 3 before, so it would not be added again."


def test_a_record_that_is_skipped_says_why(shop: Shop) -> None:
    order = shop.order(status="pending")
    tried = shop.tried(Kind.ORDER, order["id"])
    assert (tried.state, tried.code) == ("skipped", "status_not_synced")
    assert "pending" in tried.sentence and not tried.fields


def test_the_contact_that_is_known_is_named(shop: Shop) -> None:
    shop.order()
    with shop.services.db.write() as session:
        link = {"person_key": person_key_of(EMAIL), "contact_id": 77, "fields": {}, "written_at": NOON}
        session.add(ContactLink(connector_id=shop.connector_id, **link))
    assert "contact 77" in shop.tried(Kind.ORDER).sentence


def test_only_modules_that_are_on_are_tried(shop: Shop) -> None:
    shop.configure(contacts__enabled=False)
    assert [one.kind for one in try_all(shop.services, shop.connector())] == [Kind.ORDER]


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CONTACT])
def test_an_id_that_does_not_exist_says_what_to_do(shop: Shop, kind: Kind) -> None:
    tried = shop.tried(kind, 999_999)
    assert (tried.state, tried.code) == ("failed", "gone")
    assert "999999" in tried.sentence and tried.hint.endswith(".")


def test_an_empty_store_says_so(shop: Shop) -> None:
    tried = shop.tried(Kind.ORDER)
    assert tried.state == "failed" and "no order in a status that is synced" in tried.sentence


def test_a_store_that_fails_is_said_with_what_to_do(shop: Shop) -> None:
    shop.store.mode = "maintenance"
    tried = shop.tried(Kind.ORDER)
    assert (tried.state, tried.code) == ("failed", "maintenance")
    assert tried.sentence.endswith(".") and tried.hint.endswith(".")


def test_without_mautic_the_old_field_list_serves_and_without_one_it_is_said(shop: Shop, mautic: MauticServer) -> None:
    shop.order()
    mautic.faults.down()
    assert [one.state for one in try_all(shop.services, shop.connector())] == ["failed", "failed"]
    mautic.faults.clear()
    try_all(shop.services, shop.connector())
    mautic.faults.down()
    shop.services.clock.advance(hours=2)  # type: ignore[attr-defined]  # a SetClock
    assert shop.tried(Kind.ORDER).state == "written"


def test_it_can_be_printed(shop: Shop) -> None:
    shop.order()
    tried = shop.tried(Kind.ORDER)
    assert as_dict(tried)["fields"][0]["alias"] == "email"
    assert sum(tried.counts().values()) == len(tried.fields)


@pytest.fixture
def count_calls(store: StoreServer) -> Callable[[], int]:
    return lambda: store.calls.total


def test_it_reads_one_record_of_each_kind(shop: Shop, count_calls: Callable[[], int]) -> None:
    shop.order()
    before = count_calls()
    try_all(shop.services, shop.connector())
    assert count_calls() - before == 2
