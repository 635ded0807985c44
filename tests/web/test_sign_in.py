"""Signing in with e-mail and password."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from integration.clock import SetClock
from integration.operations.identity import accounts
from integration.pipeline.services import Services
from tests.web.conftest import PASSWORD, Person, text_of

Audit = Callable[[str], list]


def attempt(person: Person, email: str, password: str = PASSWORD, **extra: str):
    return person.post("/sign-in", {"email": email, "password": password, **extra})


def test_the_right_password_signs_in_and_is_audited(visitor: Person, audit_of: Audit) -> None:
    answer = attempt(visitor, "Viewer@Example.com ")
    assert answer.status_code == 302
    assert visitor.get("/connectors").status_code == 200
    assert [(e.actor, e.organisation_id) for e in audit_of("SIGNED_IN")] == [("viewer@example.com", 1)]


def test_unknown_address_and_wrong_password_are_answered_alike(visitor: Person, audit_of: Audit) -> None:
    unknown = attempt(visitor, "nobody@example.com")
    wrong = attempt(visitor, "viewer@example.com", "not it at all")
    assert unknown.status_code == wrong.status_code == 401
    # The same browser sees the same page, but for the address it typed itself.
    assert text_of(unknown) == text_of(wrong)
    assert "do not fit together" in text_of(unknown)
    assert [(e.actor, e.organisation_id) for e in audit_of("SIGN_IN_FAILED")] == [
        ("nobody@example.com", None),
        ("viewer@example.com", 1),
    ]


def test_an_unknown_address_costs_a_password_check_too(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(accounts, "check_password_hash", lambda hashed, password: bool(checked.append(hashed)))
    with services.db.read() as session:
        accounts.authenticate(session, "viewer@example.com", "x")
        accounts.authenticate(session, "nobody@example.com", "x")
    assert len(checked) == 2
    assert checked[1].startswith("scrypt:")


def test_a_disabled_user_does_not_get_in(visitor: Person, viewer: Person, services: Services) -> None:
    from integration.models import User

    with services.db.write() as session:
        session.get_one(User, 1).disabled_at = services.clock.now()
    assert attempt(visitor, "viewer@example.com").status_code == 401
    assert viewer.get("/connectors").status_code == 302


def test_what_was_in_the_session_before_does_not_live_on(visitor: Person) -> None:
    with visitor.client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    attempt(visitor, "viewer@example.com")
    with visitor.client.session_transaction() as cookie:
        assert "planted" not in cookie


def test_the_password_is_never_sent_back(visitor: Person) -> None:
    assert "hunter2-hunter2" not in attempt(visitor, "viewer@example.com", "hunter2-hunter2").text


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/connectors/1/logs?kind=debug", "/connectors/1/logs?kind=debug"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("/\\evil.test/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nb", "/"),
        ("", "/"),
    ],
)
def test_it_goes_on_to_pages_of_this_site_only(visitor: Person, target: str, place: str) -> None:
    assert attempt(visitor, "viewer@example.com", next=target).location == place


def test_visitors_are_sent_to_sign_in_and_back(visitor: Person) -> None:
    answer = visitor.get("/connectors")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=%2Fconnectors"
    assert 'name="next" value="/connectors"' in visitor.get(answer.location).text


def test_signing_out_needs_a_post_and_ends_the_session(viewer: Person) -> None:
    assert viewer.get("/sign-out").status_code == 405
    assert viewer.post("/sign-out").status_code == 302
    assert viewer.get("/connectors").status_code == 302


def test_failures_are_throttled_by_address_and_a_page_says_so(app: Flask, make_app: Callable[..., Flask]) -> None:
    person = Person(make_app(ratelimit=True).test_client())
    answers = [attempt(person, f"nobody{number}@example.com") for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "too many attempts" in text_of(answers[-1])
    assert answers[-1].headers["Retry-After"]


Try = Callable[..., TestResponse]


@pytest.fixture
def try_from(app: Flask, make_app: Callable[..., Flask]) -> Try:
    """Tries to sign in as the viewer from an address."""
    person = Person(make_app(ratelimit=True, proxies=1).test_client())
    person.token()

    def attempt_from(address: str, password: str = "guess", path: str = "/sign-in") -> TestResponse:
        data = {"csrf_token": person.token(), "email": "viewer@example.com", "password": password}
        return person.client.post(path, data=data, headers={"X-Forwarded-For": address})

    return attempt_from


def test_failures_are_throttled_by_user_from_anywhere(try_from: Try) -> None:
    statuses = [try_from(f"198.51.100.{number // 9}").status_code for number in range(101)]
    assert statuses == [401] * 100 + [429]
    assert try_from("2001:db8::1").status_code == 429


def test_wrong_tries_from_elsewhere_do_not_shut_a_person_out(try_from: Try) -> None:
    assert [try_from("198.51.100.1").status_code for _ in range(11)][-1] == 429
    assert try_from("203.0.113.5", PASSWORD).status_code == 302


def test_where_a_person_signed_in_before_no_stranger_shuts_them_out(try_from: Try) -> None:
    for number in range(101):
        try_from(f"198.51.100.{number // 9}")
    assert try_from("203.0.113.5", PASSWORD).status_code == 429
    assert try_from("192.0.2.7", PASSWORD).status_code == 302


def test_a_network_of_ipv6_is_one_address(try_from: Try) -> None:
    statuses = [try_from(f"2001:db8::{number}").status_code for number in range(1, 12)]
    assert statuses == [401] * 10 + [429]


def test_the_page_says_the_true_wait_and_that_a_link_works(try_from: Try, services: Services) -> None:
    for _ in range(10):
        try_from("198.51.100.1")
    refused = try_from("198.51.100.1", PASSWORD)
    assert int(refused.headers["Retry-After"]) > 60
    minutes = math.ceil(int(refused.headers["Retry-After"]) / 60)
    assert f"Wait {minutes} minutes" in text_of(refused) or f"Wait {minutes + 1} minutes" in text_of(refused)
    assert "one-time link" in text_of(refused)
    link = accounts.make_link(services, 1)
    assert try_from("198.51.100.1", path=f"/sign-in/link/{link}").status_code == 302


def test_a_cookie_copied_before_signing_out_is_worthless(app: Flask, visitor: Person) -> None:
    attempt(visitor, "viewer@example.com")
    other = Person(app.test_client())
    attempt(other, "viewer@example.com")
    thief = Person(app.test_client())
    with visitor.client.session_transaction() as mine, thief.client.session_transaction() as theirs:
        theirs.update(mine)
    assert thief.get("/connectors").status_code == 200
    visitor._token = ""
    assert visitor.post("/sign-out").status_code == 302
    assert thief.get("/connectors").status_code == 302
    assert other.get("/connectors").status_code == 200


def test_a_session_that_nobody_uses_ends(visitor: Person, clock: SetClock) -> None:
    attempt(visitor, "viewer@example.com")
    for _ in range(3):
        clock.advance(days=10)
        assert visitor.get("/connectors").status_code == 200
    clock.advance(days=15)
    assert visitor.get("/connectors").status_code == 302


@pytest.mark.parametrize("cookie_id", ["1.key-of-viewer", "1.key-of-viewer.", "1.key-of-viewer.session-of-admin", "²."])
def test_a_cookie_without_its_session_signs_nobody_in(visitor: Person, cookie_id: str) -> None:
    with visitor.client.session_transaction() as cookie:
        cookie["_user_id"] = cookie_id
    assert visitor.get("/connectors").status_code == 302


def test_signing_in_well_is_not_counted(app: Flask, make_app: Callable[..., Flask]) -> None:
    person = Person(make_app(ratelimit=True).test_client())
    statuses = []
    for _ in range(12):
        statuses.append(attempt(person, "viewer@example.com").status_code)
        person._token = ""
        person.post("/sign-out")
        person._token = ""
    assert statuses == [302] * 12
