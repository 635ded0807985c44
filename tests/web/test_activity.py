"""The activity page (F1): what it shows, to whom, filters, pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integration.models import AuditAction, Hold, Run
from integration.operations import audit
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/activity"


@pytest.fixture
def happen(services: Services, connector_id: int) -> Callable[..., None]:
    """Writes runs that ended so many minutes ago."""

    def runs(*minutes: int, connector: int = connector_id, **values: Any) -> None:
        with services.db.write() as session:
            for number in minutes:
                at = services.clock.now() - timedelta(minutes=number)
                times = {"created_at": at - timedelta(seconds=30), "ended_at": at}
                given = {"kind": "full", "state": "COMPLETED", "correlation_id": str(number), "pulled": number}
                session.add(Run(connector_id=connector, **{**given, **times, **values}))

    return runs


@pytest.fixture
def changed(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        audit.record(
            session,
            clock_now=services.clock.now(),
            organisation_id=1,
            connector_id=connector_id,
            actor="ann@example.com",
            action=AuditAction.UPDATED,
            entity="settings",
            diff={"orders.notes": [False, True]},
        )


def rows(page: str) -> list[str]:
    return re.findall(r"<tr>\s*<td.*?</tr>", page, re.DOTALL)


def test_events_are_shown_with_their_links(
    viewer: Person, services: Services, page: str, connector_id: int, happen: Callable[..., None]
) -> None:
    happen(1200)
    since = services.clock.now() - timedelta(hours=1)
    with services.db.write() as session:
        session.add(
            Hold(connector_id=connector_id, service="store", code="x", sentence="No <b>answer</b>.", since=since,
                 probe_at=since, released_at=since)
        )  # fmt: skip
    shown = viewer.get(page)
    said = text_of(shown)
    assert "Full sync 1 completed: 1,200 read, 0 sent, 0 skipped, 0 failed." in said
    assert "Reading the store is on hold: No <b>answer</b>." in said
    assert "<b>answer" not in shown.text
    assert f'href="/connectors/{connector_id}/runs/1">Run 1</a>' in shown.text
    assert f'href="/connectors/{connector_id}/connection">Connection</a>' in shown.text
    assert 'aria-current="page">Activity' in shown.text


def test_administrators_see_who_changed_what_and_others_that_it_was_changed(
    admin: Person, viewer: Person, support: Person, page: str, changed: None
) -> None:
    said = text_of(admin.get(page))
    assert "Changed: settings. Audit log By ann@example.com." in said
    assert "Order Sync: Notes from no → to yes" in said
    for person in (viewer, support):
        said = text_of(person.get(page))
        assert "Changed: settings." in said
        assert "ann@example.com" not in said
        assert "Order Sync: Notes" not in said


def test_a_stranger_sees_nothing(stranger: Person, page: str, happen: Callable[..., None]) -> None:
    happen(5)
    assert stranger.get(page).status_code == 404


def test_all_connectors_are_those_of_the_own_organisation(
    viewer: Person, super_admin: Person, services: Services, page: str, happen: Callable[..., None]
) -> None:
    sibling = pairs.create(services, organisation_id=1, name="Second shop")
    foreign = pairs.create(services, organisation_id=2, name="Foreign shop")
    happen(1)
    happen(2, connector=sibling)
    happen(3, connector=foreign)
    assert len(rows(viewer.get(page).text)) == 2
    for person in (viewer, super_admin):
        everything = person.get(f"{page}?scope=all")
        assert len(rows(everything.text)) == 4
        assert "Second shop" in text_of(everything)
        assert "3 read" not in text_of(everything)


def test_older_events_are_a_page_away_and_filters_stay(viewer: Person, page: str, happen: Callable[..., None]) -> None:
    happen(*range(1, 61))
    first = viewer.get(f"{page}?kind=run")
    assert len(rows(first.text)) == 100
    [link] = re.findall(r'href="([^"]+)">Older events', first.text)
    second = viewer.get(link.replace("&amp;", "&"))
    assert len(rows(second.text)) == 20
    assert "kind=run" in link
    assert "60 read" in text_of(second)
    assert "Older events" not in second.text
    assert "Newest events" in second.text


def test_quiet_polls_are_a_link_away(viewer: Person, page: str, happen: Callable[..., None]) -> None:
    happen(5, kind="incremental", pulled=0)
    shown = viewer.get(page)
    assert "Nothing happened yet." in text_of(shown)
    [link] = re.findall(r'href="([^"]+)">Show them', shown.text)
    assert len(rows(viewer.get(link).text)) == 1


@pytest.mark.parametrize("bad", ["kind=party", "scope=mine", "since=x", "until=%00y", "before=77", "before=%D9%A2"])
def test_a_wrong_filter_gives_the_page_with_a_notice(
    viewer: Person, page: str, happen: Callable[..., None], bad: str
) -> None:
    happen(5)
    shown = viewer.get(f"{page}?{bad}")
    assert shown.status_code == 200
    assert 'class="notice notice-warn"' in shown.text
    assert len(rows(shown.text)) == 2


def test_an_empty_feed_says_what_would_fill_it(viewer: Person, page: str) -> None:
    assert "Nothing happened yet. The first run" in text_of(viewer.get(page))
    assert "Nothing happened that fits this filter." in text_of(viewer.get(f"{page}?kind=alert"))


def test_days_are_those_of_the_stores_zone(
    viewer: Person, services: Services, page: str, connector_id: int, happen: Callable[..., None]
) -> None:
    from integration.models import Connector

    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"timezone": "Asia/Tokyo"}
    happen(60 * 22)
    assert len(rows(viewer.get(f"{page}?since=2026-11-19&until=2026-11-19").text)) == 2
    assert rows(viewer.get(f"{page}?until=2026-11-18").text) == []
