"""The connector's page: buttons by role, pause and resume, refresh only while a run goes, chart, settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from integration.models import AuditEntry, Connector, Run, RunState
from integration.pipeline import usage
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.web.operations import charts
from tests.web.conftest import Person, text_of


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/"


def test_the_figures_are_those_of_the_last_24_hours(
    viewer: Person, page: str, services: Services, connector_id: int
) -> None:
    now = services.clock.now()
    with services.db.write() as session:
        usage.record(session, connector_id, now, pulled=30, pushed=20, skipped=9, failed=1)
        usage.record(session, connector_id, now - timedelta(hours=30), pulled=500)
    text = text_of(viewer.get(page))
    assert "Pulled 30 from the store Pushed 20 to Mautic Skipped 9 Failed 1" in text
    assert "530 records pulled from the store and 20 pushed to Mautic in 14 days." in viewer.get(page).text


def test_it_refreshes_only_while_a_run_goes(viewer: Person, page: str, services: Services, connector_id: int) -> None:
    assert "data-live=" not in viewer.get(page).text
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    part = viewer.get(page, headers={"HX-Request": "true"}).text
    assert 'data-live-every="4"' in part
    assert "<html" not in part
    with services.db.write() as session:
        run_lifecycle.finish(session, services.clock.now(), session.get_one(Run, run_id), RunState.COMPLETED)
    assert "data-live=" not in viewer.get(page, headers={"HX-Request": "true"}).text


def test_buttons_are_those_of_the_role(viewer: Person, support: Person, admin: Person, page: str) -> None:
    assert "Run Full Sync" not in text_of(viewer.get(page))
    assert "Run Full Sync Run Incremental Test Connection" in text_of(support.get(page))
    assert "Pause" not in text_of(support.get(page))
    assert "Pause …" in text_of(admin.get(page))
    assert viewer.post(f"{page}run", {"kind": "full"}).status_code == 403
    assert support.post(f"{page}pause").status_code == 403


@pytest.mark.parametrize("kind", ["full", "initial", "incremental"])
def test_support_starts_a_run(
    support: Person, page: str, kind: str, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    assert "started." in text_of(support.post(f"{page}run", {"kind": kind}, follow_redirects=True))
    assert audit_of("SYNC_TRIGGERED")[0].diff == {"kind": [None, kind]}
    assert "going already" in text_of(support.post(f"{page}run", {"kind": kind}, follow_redirects=True))
    assert support.post(f"{page}run", {"kind": "odd"}).status_code == 404


def test_the_initial_import_is_offered_until_it_is_done(
    support: Person, page: str, services: Services, connector_id: int
) -> None:
    assert "Run Initial Import" in text_of(support.get(page))
    with services.db.write() as session:
        session.get_one(Connector, connector_id).initial_done_at = services.clock.now()
    assert "Run Initial Import" not in text_of(support.get(page))


def test_pausing_asks_first_and_resuming_does_not(
    admin: Person, page: str, connector: Callable[[], Connector], audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    assert "Webhooks are accepted and wait" in text_of(admin.get(f"{page}pause"))
    assert "Paused" in text_of(admin.post(f"{page}pause", follow_redirects=True))
    assert connector().state == "paused"
    admin.post(f"{page}resume")
    assert connector().state == "active"
    assert (len(audit_of("PAUSED")), len(audit_of("RESUMED"))) == (1, 1)


def test_history_lists_the_runs(viewer: Person, page: str, services: Services, connector_id: int) -> None:
    assert "There was no run yet." in text_of(viewer.get(f"{page}history"))
    run_lifecycle.start(services, connector_id, "full", trigger="somebody")
    assert "Full sync somebody" in text_of(viewer.get(f"{page}history"))


def test_settings_are_changed_by_administrators(
    admin: Person, support: Person, page: str, services: Services, connector: Callable[[], Connector]
) -> None:
    address = f"{page}settings"
    good = {"sync.every": "900", "sync.cron": "", "sync.policy": "mautic", "sync.batch_start": "40"}
    rest = {"sync.batch_max": "100", "sync.lanes": "3", "sync.proof_every": "10", "sync.hourly_limit": "5000"}
    assert "The settings were saved." in text_of(admin.post(address, {**good, **rest}, follow_redirects=True))
    sync = services.modules(connector()).sync
    assert (sync.every, sync.policy, sync.lanes, sync.hourly_limit) == (900, "mautic", 3, 5000)
    for name, value in (("sync.cron", "daily"), ("sync.policy", "both"), ("sync.lanes", "99"), ("sync.every", "soon")):
        answer = admin.post(address, {**good, **rest, name: value})
        assert (answer.status_code, value in answer.text) == (400, True)
    assert "Administrators of your organisation can change" in text_of(support.get(address))
    assert support.post(address, good).status_code == 403


@pytest.mark.parametrize("days", [1, 14, 366])
def test_a_chart_of_nothing_and_of_much_is_drawn_within_its_frame(days: int) -> None:
    first = date(2026, 1, 1)
    for pulled in (0, 7, 1_234_567):
        chart = charts.drawn([charts.Day(first + timedelta(days=n), pulled, pulled // 2) for n in range(days)])
        assert len(chart.days) == days
        assert all(bar.y >= 0 and bar.y + bar.height <= charts.HEIGHT for bar in chart.bars)
        assert all(bar.x + bar.width <= charts.WIDTH + 1 for bar in chart.bars)
        assert len(chart.labels) <= 9


def test_bad_dates_give_the_page_with_a_notice(viewer: Person, page: str) -> None:
    text = text_of(viewer.get(f"{page}?since=soon&until=2026-11-20"))
    assert "“soon” is no date" in text
    assert "At most 366 days are shown." in text_of(viewer.get(f"{page}?since=2001-01-01&until=2026-11-20"))


def test_a_stranger_sees_and_changes_nothing(stranger: Person, page: str, connector: Callable[[], Connector]) -> None:
    for path in ("", "history", "settings", "pause"):
        assert stranger.get(f"{page}{path}").status_code == 404
    for path in ("run", "settings", "pause", "resume"):
        assert stranger.post(f"{page}{path}", {"kind": "full", "sync.every": "0"}).status_code == 404
    assert connector().state == "active"


def test_a_connector_is_deleted_after_its_name_was_typed(
    admin: Person, page: str, services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    address = f"{page}delete"
    assert f'href="{address}"' in admin.get(f"{page}settings").text
    asked = admin.get(address)
    assert "goes with its records, runs, Sync Log" in text_of(asked)
    assert f'href="{page}tools/settings.json"' in asked.text
    for name in ("", "sunflower", "Rose"):
        refused = admin.post(address, {"name": name})
        assert (refused.status_code, "is not the name of this connector" in text_of(refused)) == (400, True)
    done = admin.post(address, {"name": " Sunflower "}, follow_redirects=True)
    assert "The connector “Sunflower” is deleted with all its rows." in text_of(done)
    (entry,) = audit_of("DELETED")
    assert (entry.entity, entry.actor) == ("connector Sunflower", "admin@example.com")
    assert entry.diff["settings"][0]["modules"]["orders"]["enabled"] is True
    assert admin.get(page).status_code == 404
    assert admin.get("/", follow_redirects=True).status_code == 200


def test_a_connector_with_a_run_is_not_deleted(
    admin: Person, page: str, services: Services, connector_id: int, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    run_lifecycle.start(services, connector_id, "full", trigger="test")
    told = admin.post(f"{page}delete", {"name": "Sunflower"}, follow_redirects=True)
    assert "A run of this connector is going. Cancel it" in text_of(told)
    assert (admin.get(page).status_code, audit_of("DELETED")) == (200, [])


def test_only_administrators_delete(viewer: Person, support: Person, stranger: Person, page: str) -> None:
    for person, status in ((viewer, 403), (support, 403), (stranger, 404)):
        assert person.get(f"{page}delete").status_code == status
        assert person.post(f"{page}delete", {"name": "Sunflower"}).status_code == status
    assert "Delete this connector" not in text_of(support.get(f"{page}settings"))


@pytest.mark.parametrize(
    "place",
    ["connection", "contacts", "orders", "fields", "tools/log", "runs", "records", "dead-letters", "activity"],
)
def test_every_page_says_whose_it_is(viewer: Person, super_admin: Person, connector_id: int, place: str) -> None:
    for person, whose in ((viewer, "Sunflower"), (super_admin, "Sunflower (Shop Ltd)")):
        page = person.get(f"/connectors/{connector_id}/{place}").text
        assert f" – {whose} – Woo Mautic</title>" in page
        assert f'<p class="whose muted small">{whose}</p>' in page
    assert 'class="whose' not in super_admin.get("/audit").text
