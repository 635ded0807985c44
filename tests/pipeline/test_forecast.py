"""A dry run's forecast, on both databases: what would be new, changed, blank, tagged and sent after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integration.events import Kind, Origin
from integration.identity import person_key_of
from integration.models import Connector, ContactLink, Run, RunState
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery.batch_context import Linked, fields_to_json, fingerprint
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.dry_run import differences, forecast, simulated_people
from integration.pipeline.dry_run.forecast import Touched
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.services import Services
from integration.plans import ContactWrite, MauticField
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.conftest import MakeChange

FIELDS = {alias: MauticField(alias, "text", limit=191) for alias in ("email", "firstname", "lastname", "city")}


@pytest.fixture
def connector(services: Services, connector_id: int) -> Connector:
    """A connector whose Mautic has four fields."""
    connectors.configure(services, connector_id, {"contacts.default_tags": ["shop"], "orders.notes": True})
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        connector.fields = fields_to_json(FIELDS)
        session.flush()
        session.expunge_all()
    return connector


@pytest.fixture
def run(services: Services, connector: Connector) -> Run:
    run_id = run_lifecycle.start(services, connector.id, "bulk", trigger="test", options={"dry_run": True})
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def customer(change: MakeChange, number: int, email: str, **billing: str) -> Any:
    payload = {"role": "customer", "first_name": "Ada", "last_name": "Lovelace"}
    return change(number, email, kind=Kind.CONTACT, **payload, billing={"email": email, **billing})


def foretell(services: Services, connector: Connector, run: Run, *changes: Any) -> dict[str, int]:
    """Give one page to the dry run and return its counters so far."""
    with services.db.write() as session:
        forecast.foretell(session, NOON, connector, run, changes)
    with services.db.read() as session:
        row = session.get_one(Run, run.id)
        assert row.accepted == 0
        return dict(row.cursor["forecast"])


def said(services: Services, run: Run) -> list[str]:
    with services.db.read() as session:
        return [line.text for line in run_progress.lines(session, run.id)]


def link(services: Services, connector: Connector, email: str, **values: str) -> None:
    """Make somebody known in Mautic with these values of the profile."""
    hashes = {f"contact.{alias}": fingerprint(value) for alias, value in {"email": email, **values}.items()}
    row = ContactLink(
        connector_id=connector.id, person_key=person_key_of(email), contact_id=7, fields=hashes, written_at=NOON
    )
    rows.store(services, row)


def test_a_new_person_is_told_field_by_field(
    services: Services, connector: Connector, run: Run, change: MakeChange
) -> None:
    told = foretell(services, connector, run, customer(change, 1, "ada@example.com", city="London"))
    assert (told["create"], told["fields"], told["tags_added"]) == (1, 4, 1)
    assert told["new.city"] == 1
    text = "Would create the contact of contact 1 (new: city, email, firstname, lastname; tags: +shop)."
    assert said(services, run)[-1] == text


def test_a_known_person_is_told_what_changes(
    services: Services, connector: Connector, run: Run, change: MakeChange
) -> None:
    link(services, connector, "ada@example.com", firstname="Ada", lastname="Byron")
    told = foretell(services, connector, run, customer(change, 1, "ada@example.com", city="London"))
    assert (told["update"], told["fields"]) == (1, 2)
    assert "(new: city; changed: lastname; tags: +shop)" in said(services, run)[-1]


def test_who_is_met_again_on_a_later_page_is_created_once(
    services: Services, connector: Connector, run: Run, change: MakeChange
) -> None:
    ada = customer(change, 1, "ada@example.com")
    foretell(services, connector, run, ada)
    again = foretell(services, connector, run, ada, customer(change, 2, "bob@example.com"))
    assert (again["create"], again["unchanged"], again.get("update", 0)) == (2, 1, 0)
    moved = foretell(services, connector, run, customer(change, 1, "ada@example.com", city="Paris"))
    assert (moved["create"], moved["update"], moved["new.city"]) == (2, 1, 1)


def test_whose_values_were_forgotten_is_still_no_new_contact(
    services: Services, connector: Connector, run: Run, change: MakeChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated_people, "REMEMBERED_MAX_PEOPLE", 1)
    people = [customer(change, number, f"p{number}@example.com") for number in (1, 2, 3)]
    foretell(services, connector, run, *people)
    told = foretell(services, connector, run, *people)
    assert (told["create"], told["update"], told["unchanged"]) == (3, 2, 1)


def test_notes_that_were_written_are_not_counted(
    services: Services, connector: Connector, run: Run, change: MakeChange
) -> None:
    rows.store(services, rows.mark(connector.id, "5"))
    orders = [change(number, "ada@example.com", origin=Origin.FULL, total="10.00", currency="EUR") for number in (5, 6)]
    assert foretell(services, connector, run, *orders)["notes"] == 1
    texts = said(services, run)
    assert [("create note" in text) for text in texts if "order" in text] == [False, True]


@pytest.mark.parametrize(("contact_id", "segments"), [(77, 1), (7, 2)])
def test_only_segments_that_the_contact_is_not_in_are_counted(
    services: Services, connector: Connector, run: Run, change: MakeChange, contact_id: int, segments: int
) -> None:
    connectors.configure(services, connector.id, {"orders.segments": {"completed": 3}})
    with services.db.read() as session:
        connector = session.get_one(Connector, connector.id)
    known = ContactLink(
        connector_id=connector.id,
        person_key=person_key_of("ada@example.com"),
        contact_id=contact_id,
        fields={},
        written_at=NOON,
    )
    rows.store(services, rows.mark(connector.id, "5", "segment:3"), known)
    orders = [change(number, "ada@example.com", origin=Origin.FULL, total="10.00", currency="EUR") for number in (5, 6)]
    assert foretell(services, connector, run, *orders)["segments"] == segments


def test_an_event_is_foretold_with_its_e_mail_and_a_sighting_without(
    services: Services, connector: Connector, run: Run, change: MakeChange
) -> None:
    connectors.configure(services, connector.id, {"orders.emails": {"completed": 8}})
    with services.db.read() as session:
        connector = session.get_one(Connector, connector.id)
    fields = {"origin": Origin.POLL, "total": "10.00", "currency": "EUR", "date_created_gmt": "2026-11-20T12:00:00"}
    event = change(5, "ada@example.com", date_completed_gmt="2026-11-20T12:00:00", **fields)
    sighting = change(6, "bob@example.com", date_completed_gmt="2025-11-20T12:00:00", **fields)
    assert foretell(services, connector, run, event, sighting)["emails"] == 1


def test_what_mautic_has_already_is_sent_when_asked(
    services: Services, connector: Connector, change: MakeChange
) -> None:
    link(services, connector, "ada@example.com", firstname="Ada", lastname="Lovelace")
    connectors.configure(services, connector.id, {"contacts.default_tags": []})
    with services.db.read() as session:
        connector = session.get_one(Connector, connector.id)
    run_id = run_lifecycle.start(
        services, connector.id, "bulk", trigger="test", options={"dry_run": True, "resend": True}
    )
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
    told = foretell(services, connector, run, customer(change, 1, "ada@example.com"))
    assert told == {"update": 1}


def test_fields_are_listed_by_how_often_they_are_touched(
    services: Services, connector: Connector, run: Run, change: MakeChange
) -> None:
    link(services, connector, "bob@example.com", firstname="Bob", lastname="Lovelace")
    people = [customer(change, 1, "ada@example.com", city="London"), customer(change, 2, "bob@example.com")]
    foretell(services, connector, run, *people)
    with services.db.read() as session:
        found = forecast.fields_of(session.get_one(Run, run.id))
    assert found[0] == Touched("firstname", 1, 1, 0)
    assert Touched("city", 1, 0, 0) in found


def test_time_is_that_of_the_last_run_that_sent_something(services: Services, connector: Connector, run: Run) -> None:
    with services.db.write() as session:
        row = session.get_one(Run, run.id)
        row.pushed = 30
        run_lifecycle.finish(session, NOON, row, RunState.COMPLETED)
        assert forecast.seconds_of(session, row) is None
    other = run_lifecycle.start(services, connector.id, "full", trigger="test")
    with services.db.write() as session:
        row = session.get_one(Run, other)
        row.started_at, row.pushed = rows.minutes(-1), 60
        run_lifecycle.finish(session, NOON, row, RunState.COMPLETED)
        assert forecast.seconds_of(session, session.get_one(Run, run.id)) == 30


def test_blanks_and_removed_tags_count_for_who_is_in_mautic_only() -> None:
    write = ContactWrite("", {"city": "", "firstname": "Ada"}, ("-old", "new"))
    fresh = {"order.city": "x", "order.firstname": "y", "order.tag:old": "-", "order.tag:new": "+"}
    new = PersonPlan(DeliveryGroup("a", ()), None, write=write, hashes=fresh)
    known = PersonPlan(DeliveryGroup("a", ()), Linked(7, {"contact.firstname": "z"}), write=write, hashes=fresh)
    assert str(differences.of(new)) == "new: firstname; tags: +new"
    assert str(differences.of(known)) == "changed: firstname; blank: city; tags: +new, -old"
    assert str(differences.of(replace(known, unchanged=True))) == "no value changes"
