"""Where a user is signed in: which browsers, and signing out all but this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import AuditEntry, UserSession
from integration.operations.identity import browsers, sessions
from integration.pipeline.services import Services
from tests.web.conftest import PASSWORD, Person, text_of

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
PHONE += "Mobile/15E148 Safari/604.1"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


def enters(app: Flask, name: str, user_agent: str = DESK, ip: str = "192.0.2.9") -> Person:
    """Somebody who signs in with the password, at another address than the cast."""
    client = app.test_client()
    client.environ_base |= {"REMOTE_ADDR": ip, "HTTP_USER_AGENT": user_agent}
    person = Person(client)
    page = person.get("/sign-in")
    person._token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    assert person.post("/sign-in", {"email": f"{name}@example.com", "password": PASSWORD}).status_code == 302
    person._token = ""
    return person


def test_the_account_shows_every_browser_that_is_signed_in(app: Flask, viewer: Person, admin: Person) -> None:
    phone = enters(app, "viewer", PHONE, "2001:db8::7")
    text = text_of(phone.get("/password"))
    assert "Safari on iPhone This browser 2001:db8::7" in text
    assert "not known 192.0.2.7" in text, "it began before browsers were kept"
    assert text.count("This browser") == 1
    assert "Safari on iPhone" not in text_of(admin.get("/password")), "somebody else's"
    assert "Sign out everywhere else" not in text_of(admin.get("/password")), "there is no other one"


def test_signing_out_elsewhere_ends_all_but_this_one_and_nobody_elses(
    app: Flask, viewer: Person, admin: Person, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    phone, desk = enters(app, "viewer", PHONE), enters(app, "viewer")
    said = text_of(phone.post("/sign-out-elsewhere", follow_redirects=True))
    assert "2 other browsers are signed out." in said
    assert phone.get("/connectors").status_code == 200
    assert [one.get("/connectors").status_code for one in (viewer, desk)] == [302, 302]
    assert admin.get("/connectors").status_code == 200
    (entry,) = audit_of("USER_CHANGED")
    assert (entry.actor, entry.entity, entry.diff) == ("viewer@example.com", "viewer@example.com", {"sessions": [3, 1]})
    said = text_of(phone.post("/sign-out-elsewhere", follow_redirects=True))
    assert "You are signed in nowhere else." in said
    assert len(audit_of("USER_CHANGED")) == 1, "nothing was done"


def test_what_has_ended_by_itself_is_not_shown(app: Flask, viewer: Person, clock: SetClock, services: Services) -> None:
    enters(app, "viewer", PHONE)
    with services.db.write() as session:
        old = session.scalars(select(UserSession).where(UserSession.browser == "Safari on iPhone")).one()
        old.seen_at = clock.now() - sessions.LIFETIME - timedelta(seconds=1)
    assert "iPhone" not in text_of(viewer.get("/password"))
    assert "nowhere else" in text_of(viewer.post("/sign-out-elsewhere", follow_redirects=True))


def test_a_visitor_and_a_foreign_form_sign_nobody_out(visitor: Person, viewer: Person) -> None:
    assert visitor.client.post("/sign-out-elsewhere").status_code in (302, 400)
    assert viewer.client.post("/sign-out-elsewhere").status_code == 400
    assert viewer.get("/connectors").status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (DESK, "Firefox on Windows"),
        (PHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Linux"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1 Version/17 Safari/605.1", "Safari on Mac"),
        ("curl/8.5.0", "Another browser"),
        ("<script>alert(1)</script>" * 50, "Another browser"),
        ("", "Another browser"),
    ],
)
def test_a_browser_is_named_in_words_of_our_own(user_agent: str, name: str) -> None:
    assert browsers.named(user_agent) == name
