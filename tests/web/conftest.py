"""The cast of the pages' tests: viewer, support, admin and super admin of one shop, and a stranger of another one."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from app import create_app
from integration.clock import SetClock
from integration.config import Deployment
from integration.digests import digest
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.models import (
    AuditEntry,
    Connector,
    Delivery,
    DeliveryState,
    Heartbeat,
    Organisation,
    Role,
    User,
    UserSession,
)
from integration.models.database import open_database
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services, open_services
from tests.schema import make_tables
from tests.templates import SHARED

PASSWORD = "correct horse battery"
#: As strong hashes take a tenth of a second each, the cast's are weak.
_HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
SHOP = "https://shop.example"
BROWSER = {"User-Agent": "Mozilla/5.0"}
SECRETS = {
    "store_key": "ck_0123456789abcdef",
    "store_secret": "cs_fedcba9876543210",
    "mautic_client_secret": "client-secret-of-mautic",
    "mautic_password": "password-of-mautic",
}


class Person:
    """A browser, signed in or not; `post` sends the CSRF token of a page of its own as a form would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = ""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path, **kwargs)

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **kwargs)

    def beacon(self, path: str, body: Any, origin: str | None = SHOP, **headers: str) -> TestResponse:
        """Send what a script in a page of the shop sends; bytes go as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "text/plain;charset=UTF-8", **BROWSER, **headers}
        return self.client.post(path, data=data, headers=given | ({"Origin": origin} if origin is not None else {}))

    def token(self) -> str:
        if not self._token:
            page = self.client.get("/password", follow_redirects=True).text
            found = re.search(r'name="csrf_token" value="([^"]+)"', page)
            assert found is not None
            self._token = found[1]
        return self._token


def text_of(response: TestResponse) -> str:
    """The words of a page, tags left out, blanks made one."""
    body = re.sub(r"<head>.*?</head>", " ", response.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def version(answer: TestResponse) -> dict[str, str]:
    """The hidden version of a form."""
    [found] = re.findall(r'name="version" value="([^"]*)"', answer.text)
    return {"version": html.unescape(found)}


def both_have_answered(services: Services, connector_id: int) -> None:
    """Let store and Mautic have answered with what is saved, as after a passed connection test."""
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        connector.store_rest_root, connector.fields_at = f"{connector.store_url}/wp-json", services.clock.now()


def deliveries(services: Services) -> list[Delivery]:
    """All deliveries, as they were accepted."""
    with services.db.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'web.sqlite'}"


@pytest.fixture
def make_app(deployment: Deployment, clock: SetClock) -> Iterator[Callable[..., Flask]]:
    """Makes the application with other deployment settings, on one database."""
    database = open_database(deployment.database_url)
    make_tables(database)

    def make(**settings: Any) -> Flask:
        changed = deployment.model_copy(update=settings)
        app = create_app(changed, open_services(changed, database=database, clock=clock))
        app.config["TESTING"] = False
        app.jinja_env.bytecode_cache = SHARED
        return app

    yield make
    database.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask], clock: SetClock) -> Flask:
    """The application with two organisations, the cast and a worker that is alive."""
    app = make_app()
    with app.extensions["services"].db.write() as session:
        session.add(Organisation(id=1, name="Shop Ltd", created_at=clock.now()))
        session.add(Organisation(id=2, name="Other Ltd", created_at=clock.now()))
        session.flush()
        for number, (name, organisation, role) in enumerate(_CAST, 1):
            session.add(_user(number, name, organisation, role, clock))
            session.flush()
            session.add(_session(number, name, clock))
        session.add(Heartbeat(name="worker@test", role="worker", beat_at=clock.now()))
    return app


_CAST = (
    ("viewer", 1, Role.VIEWER),
    ("support", 1, Role.SUPPORT),
    ("admin", 1, Role.ADMIN),
    ("super", 1, Role.SUPER),
    ("stranger", 2, Role.ADMIN),
)


def _user(number: int, name: str, organisation: int, role: Role, clock: SetClock) -> User:
    return User(
        id=number,
        organisation_id=organisation,
        email=f"{name}@example.com",
        role=role,
        password_hash=_HASH,
        session_key=f"key-of-{name}",
        created_at=clock.now(),
    )


def _session(number: int, name: str, clock: SetClock) -> UserSession:
    now = clock.now()
    return UserSession(id=digest(f"session-of-{name}"), user_id=number, created_at=now, seen_at=now, ip="192.0.2.7")


@pytest.fixture
def services(app: Flask) -> Services:
    services: Services = app.extensions["services"]
    return services


@pytest.fixture
def connector_id(services: Services) -> int:
    """A connector of Shop Ltd that is connected to addresses where nobody answers."""
    return pairs.create(
        services,
        organisation_id=1,
        name="Sunflower",
        store_url="https://127.0.0.1:9",
        mautic_url="https://127.0.0.1:9",
        mautic_client_id="1_client",
        **SECRETS,
    )


def sign_in(app: Flask, name: str) -> Person:
    """A signed-in browser of one of the cast."""
    number = [who for who, _, _ in _CAST].index(name) + 1
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{number}.key-of-{name}.session-of-{name}"
        cookie["_fresh"] = True
    return Person(client)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A program, which has no session."""
    return app.test_client()


@pytest.fixture
def visitor(app: Flask) -> Person:
    """Somebody who has not signed in."""
    return Person(app.test_client())


@pytest.fixture
def viewer(app: Flask) -> Person:
    return sign_in(app, "viewer")


@pytest.fixture
def support(app: Flask) -> Person:
    return sign_in(app, "support")


@pytest.fixture
def admin(app: Flask) -> Person:
    return sign_in(app, "admin")


@pytest.fixture
def super_admin(app: Flask) -> Person:
    return sign_in(app, "super")


@pytest.fixture
def stranger(app: Flask) -> Person:
    """An administrator of another organisation, who must see nothing of this one."""
    return sign_in(app, "stranger")


@pytest.fixture
def audit_of(services: Services) -> Callable[[str], list[AuditEntry]]:
    """Returns the audit entries of one action, oldest first."""

    def entries(action: str) -> list[AuditEntry]:
        with services.db.read() as session:
            query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
            return list(session.scalars(query))

    return entries


@pytest.fixture
def connector(services: Services, connector_id: int) -> Callable[[], Connector]:
    """Returns the connector as it is stored now."""

    def read() -> Connector:
        with services.db.read() as session:
            return session.get_one(Connector, connector_id)

    return read


Settle = Callable[..., int]


@pytest.fixture
def record(services: Services, connector_id: int) -> Settle:
    """Accepts an order and lets it end; returns its id."""

    def make(source: int, state: str | None = "delivered", email: str = "ada@example.com", **ends: Any) -> int:
        now = services.clock.now()
        payload = {
            "id": source,
            "number": str(source),
            "billing": {"email": email},
            "total": "10.00",
            "status": "completed",
        }
        change = Change(
            Kind.ORDER, str(source), "completed", person_key_of(email), payload, now, Origin.WEBHOOK, now, str(source)
        )
        with services.db.write() as session:
            outbox.accept(session, now, connector_id, [change])
        token = new_token()
        with services.db.write() as session:
            groups = outbox.claim(session, now, connector_id, 50, token)
            leased = next(leased for group in groups for leased in group.deliveries if leased.source_id == str(source))
            outcome = Outcome(leased.id, DeliveryState(state) if state else None, **ends)
            outbox.settle(session, now, connector_id, token, [outcome])
        return leased.id

    return make
