"""Changing one's own password."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.errors import SettingError
from integration.models import User
from integration.operations.identity import accounts
from integration.pipeline.services import Services
from tests.web.conftest import PASSWORD, Person, sign_in, text_of

NEW = "a brand new passphrase"


def test_it_ends_all_other_sessions_and_keeps_this_one(app, viewer: Person, audit_of: Callable) -> None:
    elsewhere = sign_in(app, "viewer")
    assert elsewhere.get("/connectors").status_code == 200
    assert viewer.post("/password", {"current": PASSWORD, "password": NEW, "again": NEW}).status_code == 302
    assert viewer.get("/connectors").status_code == 200
    assert elsewhere.get("/connectors").status_code == 302
    assert audit_of("USER_CHANGED")[0].diff == {"password": "changed"}


@pytest.mark.parametrize(
    ("current", "password", "again", "field"),
    [
        ("wrong one here", NEW, NEW, "current"),
        (PASSWORD, NEW, NEW + "!", "again"),
        (PASSWORD, "short", "short", "password"),
        (PASSWORD, "x" * 201, "x" * 201, "password"),
    ],
)
def test_bad_input_names_the_field(viewer: Person, current: str, password: str, again: str, field: str) -> None:
    answer = viewer.post("/password", {"current": current, "password": password, "again": again})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert viewer.get("/connectors").status_code == 200


def test_someone_without_a_password_needs_no_old_one(viewer: Person, services: Services) -> None:
    with services.db.write() as session:
        session.get_one(User, 1).password_hash = ""
    assert "no password yet" in text_of(viewer.get("/password"))
    assert viewer.post("/password", {"password": NEW, "again": NEW}).status_code == 302


def test_users_are_made_with_checked_values(services: Services) -> None:
    number = accounts.create_user(services, 1, " New@Example.com", "support", NEW)
    with services.db.read() as session:
        user = session.get_one(User, number)
        assert (user.email, user.role) == ("new@example.com", "support")
        assert accounts.authenticate(session, "NEW@example.com", NEW) is not None


@pytest.mark.parametrize(
    ("email", "role", "password", "field"),
    [
        ("no address", "viewer", "", "email"),
        ("viewer@example.com", "viewer", "", "email"),
        ("new@example.com", "emperor", "", "role"),
        ("new@example.com", "viewer", "short", "password"),
    ],
)
def test_bad_values_of_a_new_user_are_named(
    services: Services, email: str, role: str, password: str, field: str
) -> None:
    with pytest.raises(SettingError) as caught:
        accounts.create_user(services, 1, email, role, password)
    assert caught.value.name == field
