"""The overview: checklist, figures, banners, the list of connectors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.errors import Unreachable
from integration.models import Connector, Hold, Run
from integration.pipeline.connectors import connectors as pairs, holds
from integration.pipeline.services import Services
from tests.web.conftest import Person, both_have_answered, text_of


def test_without_a_connector_it_leads_to_the_set_up(admin: Person, viewer: Person) -> None:
    assert admin.get("/").location == "/setup"
    assert "Add one to connect your store" in text_of(admin.get("/connectors"))
    assert "An administrator of your organisation can add one." in text_of(viewer.get("/", follow_redirects=True))


def test_the_only_connector_opens_by_itself(viewer: Person, connector_id: int, services: Services) -> None:
    assert viewer.get("/").location == f"/connectors/{connector_id}/"
    pairs.create(services, organisation_id=1, name="Second")
    assert viewer.get("/").location == "/connectors"


def test_adding_goes_to_the_connection_and_is_audited(admin: Person, audit_of) -> None:
    answer = admin.post("/connectors/new", {"name": "  Rose shop "})
    assert answer.location == "/connectors/1/connection"
    assert [(entry.entity, entry.organisation_id) for entry in audit_of("CREATED")] == [("connector Rose shop", 1)]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_bad_name_is_marked(admin: Person, name: str) -> None:
    answer = admin.post("/connectors/new", {"name": name})
    assert answer.status_code == 400
    assert 'id="name-error"' in answer.text


def test_the_checklist_of_a_new_connector_begins_with_the_store(viewer: Person, services: Services) -> None:
    number = pairs.create(services, organisation_id=1, name="Fresh")
    words = text_of(viewer.get(f"/connectors/{number}/"))
    assert "0 of 5 done." in words
    assert words.index("Connect the store") < words.index("Connect Mautic") < words.index("Run the initial import")
    assert "Not set up" in words


def test_the_tick_comes_with_a_passed_test(viewer: Person, connector_id: int, services: Services) -> None:
    words = text_of(viewer.get(f"/connectors/{connector_id}/"))
    assert "0 of 5 done." in words
    assert "The store is https://127.0.0.1:9; it has not been tested yet." in words
    assert "Not tested yet" in words
    both_have_answered(services, connector_id)
    assert "2 of 5 done." in text_of(viewer.get(f"/connectors/{connector_id}/"))
    pairs.connect(services, connector_id, mautic_client_id="another")
    assert "Mautic is https://127.0.0.1:9; it has not been tested yet." in text_of(
        viewer.get(f"/connectors/{connector_id}/")
    )


def test_what_is_done_is_marked(viewer: Person, connector_id: int, services: Services) -> None:
    both_have_answered(services, connector_id)
    words = text_of(viewer.get(f"/connectors/{connector_id}/"))
    assert "2 of 5 done." in words
    assert "The store is https://127.0.0.1:9." in words


def test_authorization_codes_count_once_mautic_has_agreed(
    viewer: Person, connector_id: int, services: Services
) -> None:
    pairs.connect(services, connector_id, mautic_method="authorization_code")
    both_have_answered(services, connector_id)
    assert "1 of 5 done." in text_of(viewer.get(f"/connectors/{connector_id}/"))


def test_a_finished_checklist_goes_away(viewer: Person, connector_id: int, services: Services, clock: SetClock) -> None:
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        connector.settings = {"orders": {"enabled": False}}
        connector.fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
        connector.initial_done_at = clock.now()
    both_have_answered(services, connector_id)
    assert "Set up in five steps" not in viewer.get(f"/connectors/{connector_id}/").text


def test_the_last_run_is_shown(viewer: Person, connector_id: int, services: Services, clock: SetClock) -> None:
    with services.db.write() as session:
        session.add(
            Run(
                connector_id=connector_id,
                kind="full",
                state="COMPLETED",
                trigger="admin@example.com",
                correlation_id="c",
                pulled=1234,
                pushed=1000,
                created_at=clock.now(),
                started_at=clock.now(),
            )
        )
    page = viewer.get(f"/connectors/{connector_id}/")
    assert "1,234 records read from the store, 1,000 written to Mautic" in text_of(page)
    assert "started by admin@example.com" in text_of(page)


def test_every_page_says_what_holds_the_work_up(
    viewer: Person, connector_id: int, services: Services, clock: SetClock
) -> None:
    now = clock.now()
    with services.db.write() as session:
        for service, released in (("store", None), ("mautic", now)):
            session.add(
                Hold(
                    connector_id=connector_id,
                    service=service,
                    code="refused",
                    sentence=f"The {service} refused the connection.",
                    hint="Check that it runs.",
                    since=now - timedelta(hours=1),
                    probe_at=now + timedelta(minutes=5),
                    released_at=released,
                )
            )
    for path in (f"/connectors/{connector_id}/", f"/connectors/{connector_id}/connection", "/password"):
        words = text_of(viewer.get(path))
        assert "The store refused the connection. Check that it runs." in words
        assert "Since 20 Nov 2026, 11:00:00 UTC . Next try 20 Nov 2026, 12:05:00 UTC" in words
        assert "The mautic refused" not in words
    assert "Held" in text_of(viewer.get("/connectors"))


def test_a_silent_worker_is_said_with_what_to_do(viewer: Person, connector_id: int, clock: SetClock) -> None:
    path = f"/connectors/{connector_id}/"
    assert "No worker is running" not in text_of(viewer.get(path))
    clock.advance(minutes=5)
    words = text_of(viewer.get(path))
    assert "No worker is running, so nothing is being sent to Mautic." in words
    assert "woo-mautic worker" in words


def test_the_chooser_leads_to_the_same_page_of_another_connector(
    viewer: Person, connector_id: int, services: Services
) -> None:
    other = pairs.create(services, organisation_id=1, name="Second")
    page = viewer.get(f"/connectors/{connector_id}/connection").text
    assert f'href="/connectors/{other}/connection"' in page


@pytest.mark.parametrize(
    ("facts", "shown", "zone"),
    [
        ({"timezone": "Europe/Rome"}, "13:00:00 CET", "Europe/Rome"),
        ({"timezone": "", "gmt_offset": 2}, "14:00:00 +02", "UTC+2"),
        ({"timezone": "Nowhere/City", "gmt_offset": -3}, "09:00:00 -03", "UTC-3"),
        ({}, "12:00:00 UTC", "UTC"),
    ],
)
def test_times_are_in_the_stores_zone_with_its_name_and_utc_on_hover(
    viewer: Person, connector_id: int, services: Services, clock: SetClock, facts: dict, shown: str, zone: str
) -> None:
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        connector.store_facts, connector.last_webhook_at = facts, clock.now()
    page = viewer.get(f"/connectors/{connector_id}/")
    assert shown in text_of(page)
    assert 'title="2026-11-20 12:00:00 UTC"' in page.text
    assert f"Times are in {zone}." in text_of(page)


def test_try_now_ends_the_wait_of_what_is_held(
    support: Person, viewer: Person, connector_id: int, services: Services, clock: SetClock
) -> None:
    address = f"/connectors/{connector_id}/connection/try-now"
    assert "Nothing is on hold." in text_of(support.post(address, follow_redirects=True))
    with services.db.write() as session:
        for service in ("store", "mautic"):
            error = Unreachable(service, "refused", "It refused.", "")
            holds.hold(session, clock.now(), connector_id, error).probe_at += timedelta(minutes=5)
    assert f'action="{address}"' in support.get(f"/connectors/{connector_id}/").text
    assert f'action="{address}"' not in viewer.get(f"/connectors/{connector_id}/").text
    assert viewer.post(address).status_code == 403
    assert "The connection is tried now" in text_of(support.post(address, follow_redirects=True))
    with services.db.read() as session:
        assert {hold.probe_at for hold in holds.open_holds(session, connector_id)} == {clock.now()}


def test_test_connection_is_a_button_that_tests_what_is_saved(admin: Person, viewer: Person, connector_id: int) -> None:
    page, address = f"/connectors/{connector_id}/", f"/connectors/{connector_id}/connection/test"
    assert f'action="{address}"' in admin.get(page).text
    assert f'action="{address}"' not in viewer.get(page).text
    tested = admin.post(address, {"as_saved": "yes"})
    assert (tested.status_code, tested.text.count('class="step step-')) == (200, 10)
    assert 'value="https://127.0.0.1:9"' in tested.text


def test_the_runs_of_the_last_day_are_listed(
    viewer: Person, connector_id: int, services: Services, clock: SetClock
) -> None:
    with services.db.write() as session:
        made = {"connector_id": connector_id, "trigger": "ann", "ended_at": clock.now()}
        for kind, hours, accepted in (("full", 2, 0), ("incremental", 1, 5), ("incremental", 1, 0), ("full", 25, 7)):
            at = clock.now() - timedelta(hours=hours)
            session.add(Run(kind=kind, state="COMPLETED", created_at=at, started_at=at, accepted=accepted, **made))
    page = viewer.get(f"/connectors/{connector_id}/").text
    listed = page.partition('aria-label="Runs of the last 24 hours"')[2].partition("</table>")[0]
    assert [number for number in range(1, 5) if f"/runs/{number}" in listed] == [1, 2]
    assert f'href="/connectors/{connector_id}/runs">All runs</a>' in page
