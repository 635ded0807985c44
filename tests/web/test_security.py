"""Headers, cookies, CSRF and sizes: what holds for every page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.web.conftest import Person, text_of

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/nothing-here",
        "/connectors",
        "/connectors/1/connection",
        "/healthz",
        "/static/css/base.css",
        "/connectors/99/",
    ],
)
def test_every_answer_has_the_policy(admin: Person, connector_id: int, path: str) -> None:
    headers = admin.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_has_inline_scripts_or_styles(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", source)


#: Forms for a shop's visitors, whose sender no session tells: one carries a stamp, one's address is a secret.
WITHOUT_SESSION = {TEMPLATES / "subscribe" / "form.html", TEMPLATES / "subscribe" / "confirm.html"}


@pytest.mark.parametrize(
    "path",
    sorted(set(TEMPLATES.rglob("*.html")) - WITHOUT_SESSION),
    ids=lambda path: str(path.relative_to(TEMPLATES)),
)
def test_every_posting_form_carries_a_token(path: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(encoding="utf-8"), flags=re.DOTALL):
        assert re.search(r"(ui\.)?csrf\(\)|csrf_token|hidden_tag", form), form


def test_a_form_without_token_is_refused_with_a_page(admin: Person, connector_id: int) -> None:
    answer = admin.client.post(f"/connectors/{connector_id}/connection", data={"name": "Forged"})
    assert answer.status_code == 400
    assert "Reload the page and send it again." in text_of(answer)
    assert "Forged" not in admin.get(f"/connectors/{connector_id}/connection").text


def test_a_token_of_another_session_is_refused(admin: Person, viewer: Person) -> None:
    answer = admin.client.post("/connectors/new", data={"name": "Forged", "csrf_token": viewer.token()})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("address", "secure"), [("https://sync.example.com", True), ("http://sync.example.com", False)]
)
def test_cookies_are_closed(make_app: Callable[..., Flask], address: str, secure: bool) -> None:
    client = make_app(public_url=address).test_client()
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) is secure


def test_proxies_are_believed_only_as_far_as_set(
    app: Flask, make_app: Callable[..., Flask], audit_of: Callable
) -> None:
    for proxies in (0, 1):
        person = Person(make_app(proxies=proxies).test_client())
        data = {"csrf_token": person.token(), "email": "a@example.com", "password": "x"}
        person.client.post("/sign-in", data=data, headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.9"})
    assert [entry.ip for entry in audit_of("SIGN_IN_FAILED")] == ["127.0.0.1", "198.51.100.9"]


def test_large_forms_get_a_page(admin: Person) -> None:
    answer = admin.client.post("/connectors/new", data=b"x" * (5 * 1024 * 1024 + 1), content_type="text/plain")
    assert answer.status_code == 413
    assert "too large" in text_of(answer)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing-here", 404, "There is no such page."),
        ("/connectors/99/", 404, "There is no such page."),
        ("/sign-out", 405, "cannot be used in that way"),
    ],
)
def test_errors_have_a_page_that_says_what_to_do(admin: Person, path: str, status: int, words: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == status
    assert words in text_of(answer)
    assert "Go to the overview" in text_of(answer)


def test_a_crash_shows_no_trace(
    app: Flask, admin: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash() -> str:
        raise RuntimeError("the inner secret")

    monkeypatch.setitem(app.view_functions, "overview.connectors", crash)
    answer = admin.get("/connectors")
    assert answer.status_code == 500
    assert "Something went wrong on our side." in text_of(answer)
    assert "inner secret" not in answer.text
    assert "inner secret" in caplog.text


def test_our_own_errors_are_shown_with_their_hint(app: Flask, admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from integration.errors import IntegrationError

    def refuse() -> str:
        raise IntegrationError("run_going", "A run is going.", "Wait until it has ended.")

    monkeypatch.setitem(app.view_functions, "overview.connectors", refuse)
    answer = admin.get("/connectors")
    assert answer.status_code == 409
    assert "A run is going. Wait until it has ended." in text_of(answer)


def test_health_is_told_to_anyone(visitor: Person) -> None:
    assert visitor.get("/healthz").json == {"status": "ok"}
