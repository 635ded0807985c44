"""The cast of the alerts' tests: a connector that is well, a real mail server, and a real receiver of webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.models import Alert, AlertGroup, AlertNotice, Database, Heartbeat, Hold
from integration.models.base import Base
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import editing
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.postgres import free_port

MakeGroup = Callable[..., int]


@dataclass
class Inbox:
    """What the mail server got; `refuse` maps a recipient, or "data", to the answer it gets instead."""

    port: int
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "data" in self.refuse:
            return self.refuse["data"]
        self.mails.append((list(envelope.rcpt_tos), message_from_bytes(envelope.content, policy=default)))
        return "250 Message accepted"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for _, mail in self.mails]

    def body(self, number: int = -1) -> str:
        return str(self.mails[number][1].get_content()).replace("\r\n", "\n")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server without encryption that takes everything."""
    box = Inbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@dataclass
class Receiver:
    """What was posted, parsed; each call is answered with `status`."""

    url: str = ""
    status: int = 200
    calls: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A chat's webhook."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(found.status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(b"internal details")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@dataclass
class Watch:
    """An organisation whose shop is watched, and what its people are told."""

    services: Services
    clock: SetClock
    connector_id: int

    def add(self, *rows: Base) -> list[Any]:
        with self.services.db.write() as session:
            session.add_all(rows)
            session.flush()
        return list(rows)

    def look(self, **later: float) -> int:
        """Move the clock on, let the worker beat, and evaluate."""
        self.clock.advance(**later)
        self.beat()
        return alerts.evaluate(self.services)

    def beat(self) -> None:
        with self.services.db.write() as session:
            session.merge(Heartbeat(name="worker@test", role="worker", beat_at=self.clock.now()))

    def rows(self, model: type[Any]) -> list[Any]:
        with self.services.db.read() as session:
            return list(session.scalars(select(model).order_by(model.id)))

    @property
    def alerts(self) -> list[Alert]:
        return self.rows(Alert)

    @property
    def open(self) -> list[str]:
        return [alert.cause for alert in self.alerts if alert.ended_at is None]

    @property
    def told(self) -> list[tuple[str, str]]:
        """What is or was owed, as (what, way)."""
        return [(notice.what, notice.way) for notice in self.notices]

    @property
    def notices(self) -> list[AlertNotice]:
        return self.rows(AlertNotice)

    def hold(self, service: str = "mautic", connector_id: int = 0) -> None:
        now = self.clock.now()
        row = Hold(
            connector_id=connector_id or self.connector_id,
            service=service,
            code="unreachable",
            sentence="Mautic refused the connection.",
            hint="Check that the server runs.",
            since=now,
            probe_at=now,
        )
        self.add(row)

    def release(self) -> None:
        with self.services.db.write() as session:
            for hold in session.scalars(select(Hold).where(Hold.released_at.is_(None))):
                hold.released_at = self.clock.now()

    def with_settings(self, **settings: Any) -> None:
        self.services = replace(self.services, deployment=self.services.deployment.model_copy(update=settings))


@pytest.fixture
def shop(db: Database, clock: SetClock, deployment: Deployment) -> Watch:
    """A connector that is set up, with a worker that is alive."""
    services = open_services(deployment, database=db, clock=clock)
    watch = Watch(services, clock, make_connector(services))
    watch.beat()
    return watch


def make_connector(services: Services, name: str = "Sunflower", organisation_id: int = 1) -> int:
    addresses = {"store_url": "https://shop.example.com", "mautic_url": "https://mautic.example.com"}
    return connectors.create(services, organisation_id=organisation_id, name=name, **addresses)


@pytest.fixture
def group(shop: Watch) -> MakeGroup:
    """Makes a group of recipients; by default one address for everything."""

    def make(organisation_id: int = 1, **values: Any) -> int:
        typed = {"name": "Team", "emails": "" if "webhook" in values else "ada@example.com", **values}
        with shop.services.db.write() as session:
            row = editing.new_group(shop.clock.now(), organisation_id)
            editing.save(shop.services, session, row, typed, [shop.connector_id, shop.connector_id + 1])
            return row.id

    return make


@pytest.fixture
def mailing(shop: Watch, inbox: Inbox) -> Inbox:
    """The mail server, set in the deployment's settings."""
    shop.with_settings(
        smtp_host="127.0.0.1", smtp_port=inbox.port, smtp_security="none", mail_from="Shop <alerts@shop.example.com>"
    )
    return inbox


def group_of(shop: Watch, group_id: int) -> AlertGroup:
    with shop.services.db.read() as session:
        return session.get_one(AlertGroup, group_id)


def fail(shop: Watch) -> None:
    """Let something be wrong and be told."""
    shop.hold()
    shop.look(minutes=3)
