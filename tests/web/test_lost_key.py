"""A database without its key: said on each page and at start, healed by new credentials or by the old key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from integration.models import AlertGroup, Connector
from integration.models.vault import Vault
from integration.pipeline import installation
from integration.pipeline.services import Services
from tests.web.conftest import SECRETS, Person, sign_in, text_of

NOTICE = "that belongs to this database is missing"


@pytest.fixture
def other(make_app: Callable[..., Flask], app: Flask, connector_id: int) -> Flask:
    """The application of the same database with another key."""
    services = app.extensions["services"]
    with services.db.write() as session:
        session.get_one(Connector, connector_id).mautic_token = services.vault.seal({"access_token": "a"})
        installation.check_key(session, services.vault)
    return make_app(secret_key="another key that is long enough")


@pytest.fixture
def lost(other: Flask) -> Person:
    return sign_in(other, "super")


def shows_notice(person: Person, path: str) -> bool:
    page = person.get(path)
    assert page.status_code == 200, path
    return NOTICE in text_of(page)


@pytest.mark.parametrize(
    "path",
    [
        "/connectors",
        "/connectors/1/",
        "/connectors/1/connection",
        "/connectors/1/orders",
        "/connectors/1/runs",
        "/connectors/1/records",
        "/connectors/1/diagnostics",
        "/platform",
        "/alerts",
        "/users",
        "/storage",
    ],
)
def test_each_page_shows_and_says_it(lost: Person, path: str) -> None:
    assert shows_notice(lost, path)


def test_with_the_right_key_nothing_is_said(super_admin: Person, other: Flask, connector_id: int) -> None:
    assert not shows_notice(super_admin, f"/connectors/{connector_id}/connection")


def form(**values: str) -> dict[str, Any]:
    return {
        "name": "Sunflower",
        "store_url": "https://127.0.0.1:9",
        "mautic_url": "https://127.0.0.1:9",
        "mautic_method": "client_credentials",
        "mautic_client_id": "1_client",
        **values,
    }


def test_new_credentials_heal_it(lost: Person, other: Flask, connector_id: int) -> None:
    answer = lost.post(f"/connectors/{connector_id}/connection", form(**SECRETS))
    assert answer.status_code == 302, text_of(answer)
    services: Services = other.extensions["services"]
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        assert services.secrets(connector) == SECRETS
        assert connector.mautic_token is None
        assert not installation.key_is_lost(session, services.vault)
    assert not shows_notice(lost, f"/connectors/{connector_id}/")


def test_it_is_said_until_the_last_connector_is_healed(
    lost: Person, other: Flask, services: Services, connector_id: int
) -> None:
    with services.db.write() as session:
        session.add(
            Connector(
                organisation_id=1,
                name="Second",
                webhook_path="b",
                secrets=services.vault.seal(SECRETS),
                created_at=services.clock.now(),
                updated_at=services.clock.now(),
            )
        )
    assert lost.post(f"/connectors/{connector_id}/connection", form(**SECRETS)).status_code == 302
    assert shows_notice(lost, f"/connectors/{connector_id}/")


def test_a_save_without_secrets_changes_none(lost: Person, services: Services, connector_id: int) -> None:
    assert lost.post(f"/connectors/{connector_id}/connection", form(name="Renamed")).status_code == 302
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        assert (connector.name, services.secrets(connector)) == ("Renamed", SECRETS)


def test_a_test_of_the_connection_takes_what_is_typed(lost: Person, connector_id: int) -> None:
    assert lost.post(f"/connectors/{connector_id}/connection/test", form(**SECRETS)).status_code == 200


def test_the_address_of_an_alert_is_a_secret_too(services: Services) -> None:
    other = Vault("another key that is long enough")
    with services.db.write() as session:
        assert not installation.check_key(session, other)
        sealed = other.seal({"url": "https://hooks.example.com"})
        session.add(AlertGroup(organisation_id=1, name="Ops", webhook=sealed, created_at=services.clock.now()))
        session.flush()
        assert installation.key_is_lost(session, services.vault)
        assert not installation.key_is_lost(session, other)
