"""One-time sign-in links."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import SignInLink
from integration.operations.identity.accounts import make_link, set_password
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of


@pytest.fixture
def path(services: Services) -> str:
    return f"/sign-in/link/{make_link(services, 1)}"


def test_looking_does_not_use_it_up_and_the_button_signs_in_once(
    visitor: Person, path: str, audit_of: Callable
) -> None:
    for _ in range(3):
        assert "signs you in once" in text_of(visitor.get(path))
    assert visitor.post(path).status_code == 302
    assert visitor.get("/connectors").status_code == 200
    assert [e.entity for e in audit_of("SIGNED_IN")] == ["sign-in by one-time link"]


def test_a_second_use_is_refused(app, visitor: Person, path: str) -> None:
    visitor.post(path)
    late = Person(app.test_client())
    assert late.get(path).status_code == 410
    answer = late.post(path)
    assert answer.status_code == 410
    assert "ask for a new link" in text_of(answer)
    assert late.get("/connectors").status_code == 302


def test_it_ends_after_a_day(visitor: Person, path: str, clock: SetClock) -> None:
    clock.advance(hours=23, minutes=59)
    assert visitor.get(path).status_code == 200
    clock.advance(minutes=1)
    assert visitor.get(path).status_code == 410
    assert visitor.post(path).status_code == 410


def test_an_unknown_one_is_refused(visitor: Person) -> None:
    assert visitor.get("/sign-in/link/made-up").status_code == 410
    assert visitor.post("/sign-in/link/made-up").status_code == 410


def test_only_its_hash_is_stored(services: Services) -> None:
    token = make_link(services, 1)
    with services.db.read() as session:
        stored = session.scalars(select(SignInLink.token_hash)).one()
    assert token not in stored
    assert len(stored) == 64


def test_a_new_password_ends_the_links(visitor: Person, path: str, services: Services) -> None:
    set_password(services, 1, "a new and long password")
    assert visitor.post(path).status_code == 410
