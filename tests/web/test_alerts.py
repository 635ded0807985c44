"""The Alerts page (F3): what is wrong, who is told, silence, thresholds, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from integration.clock import SetClock
from integration.models import Alert, AlertGroup, AlertNotice, AuditEntry, Hold
from integration.models.base import Base
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import groups
from integration.operations.monitoring.alerts.finding import PAGES
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of, version

HOOK = "https://hooks.example.com/services/T0/B0/secret"
GROUP = {"name": "Team", "emails": "ada@example.com", "webhook": HOOK}
Audit = Callable[[str], list[AuditEntry]]


def add(services: Services, *rows: Base) -> None:
    with services.db.write() as session:
        session.add_all(rows)


def one(services: Services, model: type[Any]) -> Any:
    with services.db.read() as session:
        return session.scalars(select(model)).one()


@pytest.fixture
def wrong(services: Services, connector_id: int, clock: SetClock) -> int:
    """An alert that is open, found from a hold."""
    begun = clock.now() - timedelta(minutes=5)
    why = {"code": "refused", "sentence": "Mautic refused the connection.", "hint": "Start it.", "probe_at": begun}
    add(services, Hold(connector_id=connector_id, service="mautic", since=begun, **why))
    assert alerts.evaluate(services) == 1
    number: int = one(services, Alert).id
    return number


@pytest.fixture
def group_id(admin: Person, services: Services) -> int:
    """A group that was made on the page."""
    assert admin.post("/alerts/groups", GROUP).status_code == 302
    number: int = one(services, AlertGroup).id
    return number


def test_an_empty_page_says_what_would_fill_it(admin: Person, connector_id: int) -> None:
    page = text_of(admin.get("/alerts"))
    assert "Nothing is wrong." in page
    assert "Nobody is told yet. Add a group" in page
    assert "Nothing was wrong before." in page
    assert "E-mail is not set up, so only webhooks are told. Set SMTP_HOST and MAIL_FROM" in page
    assert "Sunflower more than 10 in a hundred, of at least 20 records 3 periods of its schedule more than 0" in page


def test_nothing_is_said_of_mail_that_is_set_up(make_app: Callable[..., Flask], app: Flask, admin: Person) -> None:
    from tests.web.conftest import sign_in

    mailing = make_app(smtp_host="mail.example.com", mail_from="alerts@example.com")
    assert "E-mail is not set up" not in text_of(sign_in(mailing, "admin").get("/alerts"))
    assert "E-mail is not set up" in text_of(admin.get("/alerts"))


def test_an_alert_is_shown_and_moves_to_the_history(
    admin: Person, services: Services, wrong: int, clock: SetClock
) -> None:
    page = text_of(admin.get("/alerts"))
    assert "Sending to Mautic is on hold Sunflower Mautic refused the connection. Start it. 20 Nov 2026" in page
    with services.db.write() as session:
        session.scalars(select(Hold)).one().released_at = clock.now()
    alerts.evaluate(services)
    page = text_of(admin.get("/alerts"))
    assert "Nothing is wrong." in page
    assert page.rstrip(".").partition("What was wrong before")[2].count("5 minutes") == 1


def test_a_group_is_made_changed_and_deleted(
    admin: Person, services: Services, connector_id: int, group_id: int, audit_of: Audit
) -> None:
    page = admin.get("/alerts")
    assert "Team ada@example.com https://hooks.example.com/… All All no" in text_of(page)
    assert "secret" not in page.text
    form = admin.get(f"/alerts/groups/{group_id}")
    assert ("Stored" in form.text, "secret" in form.text) == (True, False)
    changed = {"name": "Team", "emails": "bob@example.com", "connector_ids": connector_id, "causes": "failing"}
    answer = admin.post(f"/alerts/groups/{group_id}", {**changed, "digest": "1"}, follow_redirects=True)
    assert "The group “Team” was saved." in text_of(answer)
    assert "Sunflower Too many records fail next 21 Nov 2026, 07:00:00 UTC" in text_of(answer)
    assert groups.webhook_of(services.vault, one(services, AlertGroup)) == HOOK
    told = admin.post(f"/alerts/groups/{group_id}", {**changed, "emails": "cy@example.com", **version(form)})
    assert (told.status_code, "Somebody has changed “E-mail addresses” meanwhile" in text_of(told)) == (409, True)
    again = admin.post(f"/alerts/groups/{group_id}", {**changed, "digest": "1"}, follow_redirects=True)
    assert "Nothing was changed." in text_of(again)
    ask = text_of(admin.get(f"/alerts/groups/{group_id}/delete"))
    assert "This deletes the group “Team”." in ask
    assert "was deleted" in text_of(admin.post(f"/alerts/groups/{group_id}/delete", follow_redirects=True))
    with services.db.read() as session:
        assert session.scalars(select(AlertGroup)).all() == []
    assert audit_of("CREATED")[-1].diff["webhook"] == "changed"
    assert audit_of("UPDATED")[-1].entity == "alert group Team"
    assert audit_of("UPDATED")[-1].diff["emails"] == [["ada@example.com"], ["bob@example.com"]]
    assert audit_of("DELETED")[-1].diff == {"emails": [["bob@example.com"], None]}
    assert "secret" not in str([entry.diff for entry in audit_of("CREATED")])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "The group needs a name"),
        ("emails", "ada@", "“ada@” is no e-mail address"),
        ("webhook", "ftp://example.com", "This is not a web address."),
        ("causes", "weather", "There is no cause “weather”."),
        ("connector_ids", "77", "One of these connectors does not exist any more."),
    ],
)
def test_what_cannot_be_used_is_named_and_comes_back(
    admin: Person, services: Services, group_id: int, field: str, value: str, said: str
) -> None:
    for path in ("/alerts/groups", f"/alerts/groups/{group_id}"):
        answer = admin.post(path, {**GROUP, "name": "Other", field: value})
        assert (answer.status_code, said in text_of(answer)) == (400, True)
        assert "ada@" in answer.text
    assert one(services, AlertGroup).name == "Team"


def test_a_test_message_and_what_came_of_it(admin: Person, services: Services, group_id: int) -> None:
    answer = admin.post(f"/alerts/groups/{group_id}/test", follow_redirects=True)
    page = text_of(answer)
    assert "A test message to “Team” leaves within ten seconds." in page
    assert "Team E-mail [Woo Mautic] Test message Waiting" in page
    with services.db.write() as session:
        session.scalars(select(AlertNotice).where(AlertNotice.way == "webhook")).one().sent_at = services.clock.now()
    alerts.send(services)
    page = text_of(admin.get("/alerts"))
    assert "Retrying No mail server is set. Set SMTP_HOST and MAIL_FROM" in page
    assert "Team Webhook [Woo Mautic] Test message Sent" in page


def test_silence_begins_and_ends(
    admin: Person, services: Services, connector_id: int, wrong: int, audit_of: Audit, clock: SetClock
) -> None:
    about = {"connector_id": connector_id, "cause": "held_mautic"}
    answer = admin.post("/alerts/silences", {**about, "hours": "8"}, follow_redirects=True)
    page = text_of(answer)
    assert "Nobody is told of “Sending to Mautic is on hold” for 8 hours." in page
    assert "Nobody is told of these Connector Cause" in page
    assert "20:00:00 UTC admin@example.com" in page
    until = (clock.now() + timedelta(hours=8)).isoformat()
    assert audit_of("UPDATED")[-1].diff == {"silent until": [None, until]}
    admin.post("/alerts/groups", GROUP)
    alerts.evaluate(services)
    with services.db.read() as session:
        assert session.scalars(select(AlertNotice)).all() == []
    page = text_of(admin.post("/alerts/silences/end", about, follow_redirects=True))
    assert "The silence is over" in page
    assert "Nobody is told of these" not in page
    alerts.evaluate(services)
    with services.db.read() as session:
        assert [row.way for row in session.scalars(select(AlertNotice))] == ["email", "webhook"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("connector_id", "77", "There is no such connector."),
        ("cause", "weather", "There is no such cause."),
        ("hours", "9999", "A silence cannot last that long."),
    ],
)
def test_a_silence_that_makes_no_sense(admin: Person, connector_id: int, field: str, value: str, said: str) -> None:
    values = {"connector_id": connector_id, "cause": "", "hours": "1", field: value}
    assert said in text_of(admin.post("/alerts/silences", values, follow_redirects=True))


def test_thresholds_are_the_connectors_own(admin: Person, connector_id: int, audit_of: Audit) -> None:
    path = f"/alerts/thresholds/{connector_id}"
    typed = {
        "alerts.failing_percent": "25",
        "alerts.failing_least": "5",
        "alerts.periods": "1",
        "alerts.dead_letters": "100",
    }
    assert "The settings were saved." in text_of(admin.post(path, typed, follow_redirects=True))
    assert audit_of("UPDATED")[-1].diff["alerts.dead_letters"] == [0, 100]
    page = text_of(admin.get("/alerts"))
    assert "more than 25 in a hundred, of at least 5 records 1 period of its schedule more than 100" in page
    answer = admin.post(path, {**typed, "alerts.failing_percent": "0"})
    assert (answer.status_code, "must be between 1 and 100" in text_of(answer)) == (400, True)


def pages(connector_id: int, group_id: int) -> list[str]:
    group = f"/alerts/groups/{group_id}"
    return ["/alerts", "/alerts/groups/new", group, f"{group}/delete", f"/alerts/thresholds/{connector_id}"]


def acts(connector_id: int, group_id: int) -> list[str]:
    group = f"/alerts/groups/{group_id}"
    silences = ["/alerts/silences", "/alerts/silences/end"]
    return [
        "/alerts/groups",
        group,
        f"{group}/delete",
        f"{group}/test",
        *silences,
        f"/alerts/thresholds/{connector_id}",
    ]


def test_only_administrators_come_in(
    viewer: Person, support: Person, visitor: Person, connector_id: int, group_id: int
) -> None:
    for path in pages(connector_id, group_id):
        assert [person.get(path).status_code for person in (viewer, support)] == [403, 403]
        assert visitor.get(path).status_code == 302
    for path in acts(connector_id, group_id):
        assert support.post(path, GROUP).status_code == 403


def test_a_stranger_sees_and_changes_nothing(
    stranger: Person, services: Services, connector_id: int, wrong: int, group_id: int
) -> None:
    page = text_of(stranger.get("/alerts"))
    assert [word for word in ("Sunflower", "Team", "ada@example.com", "refused") if word in page] == []
    for path in pages(connector_id, group_id)[2:]:
        assert stranger.get(path).status_code == 404
    for path in acts(connector_id, group_id)[1:4]:
        assert stranger.post(path, GROUP).status_code == 404
    assert stranger.post(f"/alerts/thresholds/{connector_id}", {}).status_code == 404
    values = {"connector_id": connector_id, "cause": "", "hours": "1"}
    for path in ("/alerts/silences", "/alerts/silences/end"):
        assert "There is no such connector." in text_of(stranger.post(path, values, follow_redirects=True))
    chosen = {**GROUP, "name": "Spies", "connector_ids": connector_id}
    assert stranger.post("/alerts/groups", chosen).status_code == 400
    assert one(services, AlertGroup).name == "Team"


def test_a_super_admin_works_on_the_own_organisation(super_admin: Person, group_id: int, connector_id: int) -> None:
    assert "Team" in text_of(super_admin.get("/alerts"))
    assert super_admin.get(f"/alerts/groups/{group_id}").status_code == 200


def test_the_links_in_messages_lead_to_pages(app: Flask) -> None:
    adapter = app.url_map.bind("example.com")
    for page in {*PAGES.values()}:
        try:
            endpoint, _ = adapter.match(urljoin("/connectors/1/", page))
        except HTTPException as error:
            pytest.fail(f"{page}: {error}")
        assert endpoint.endswith(".index")
    assert adapter.match("/alerts")[0] == "alerts.index"
    assert adapter.match("/connectors/1/")[0] == "overview.show"
