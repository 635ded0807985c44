"""The address at which the installation is reached: links have it whatever a request calls its host."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from integration.pipeline import installation
from tests.web.conftest import Person, sign_in

EVIL = {"Host": "evil.example"}


@pytest.fixture
def open_app(make_app: Callable[..., Flask], app: Flask) -> Flask:
    """An application that listens on the network without being told its name."""
    return make_app(host="0.0.0.0", proxies=1)


def links(person: Person, **more: object) -> list[str]:
    page = person.post("/users/1/link", **more)  # type: ignore[arg-type]  # what the test client takes
    return re.findall(r'https?://[^"<\s]+/sign-in/link/', page.text)


def test_a_foreign_host_makes_no_link(open_app: Flask) -> None:
    with open_app.extensions["services"].db.write() as session:
        installation.keep_address(session, "https://woo.example")
    made = links(sign_in(open_app, "admin"), headers={"X-Forwarded-Host": "evil.example"})
    assert set(made) == {"https://woo.example/sign-in/link/"}


def test_the_address_in_the_settings_comes_first(make_app: Callable[..., Flask], app: Flask) -> None:
    named = make_app(public_url="https://named.example/")
    with named.extensions["services"].db.write() as session:
        installation.keep_address(session, "https://kept.example")
    assert named.extensions["services"].base_url == "https://named.example"
    assert app.extensions["services"].base_url == "https://kept.example"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1", "a@b"])
def test_a_page_under_another_name_is_refused(make_app: Callable[..., Flask], app: Flask, host: str) -> None:
    for made in (app, make_app(public_url="https://woo.example", proxies=1)):
        answer = made.test_client().get("/sign-in", headers={"Host": host, "X-Forwarded-Host": host})
        assert (answer.status_code, "PUBLIC_URL" in answer.text) == (400, True)


@pytest.mark.parametrize("host", ["woo.example", "WOO.example:443", "localhost:9", "127.0.0.1", "[::1]:8000"])
def test_our_own_names_are_taken(make_app: Callable[..., Flask], app: Flask, host: str) -> None:
    made = make_app(public_url="https://woo.example")
    assert made.test_client().get("/sign-in", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/metrics", 401)])
def test_machines_may_use_any_name(app: Flask, path: str, status: int) -> None:
    assert app.test_client().get(path, headers=EVIL).status_code == status
    assert app.test_client().post("/hooks/x", headers=EVIL).status_code == 404


def test_no_page_makes_an_address_of_the_request() -> None:
    web = Path(__file__).parents[2] / "integration" / "web"
    assert [path.name for path in web.rglob("*.py") if "_external" in path.read_text(encoding="utf-8")] == []
