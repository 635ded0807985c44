"""A real browser, the real application on a socket, its engine, and both stand-ins."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from app import create_app
from integration.config import Deployment
from integration.engines.embedded import Embedded
from integration.models import Connector, Organisation, Role
from integration.models.migrate import upgrade
from integration.operations.identity import accounts
from integration.operations.support.debug_capture import Capture
from integration.pipeline.connectors import connectors, field_list
from integration.pipeline.services import Services, open_services, with_observers
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.seed import seed as seed_mautic
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed as seed_store
from tests.conftest import NOON

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WITHOUT_CHROMIUM = "Chromium is not installed (apt-get install chromium)"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; skipped with the reason where there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip(WITHOUT_CHROMIUM)
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=list(ARGS))
        yield chromium
        chromium.close()


@dataclass
class Site:
    """The application as it is served, with its users and both ends."""

    url: str
    services: Services
    store: StoreServer
    mautic: MauticServer
    browser: Browser
    users: dict[Role, int]

    def connect(self) -> int:
        """Make a connector to both ends, whose fields are in Mautic."""
        number = connectors.create(
            self.services,
            organisation_id=1,
            name="Shop",
            store_url=self.store.url,
            store_key=self.store.credentials.key,
            store_secret=self.store.credentials.secret,
            mautic_url=self.mautic.url,
            mautic_client_id=self.mautic.credentials.client_id,
            mautic_client_secret=self.mautic.credentials.client_secret,
        )
        with self.services.db.read() as session:
            connector = session.get_one(Connector, number)
        field_list.complete(self.services, connector, self.services.open_mautic(connector))
        return number

    def page(self, role: Role = Role.ADMIN, **context: Any) -> Page:
        """Return a page of somebody who has signed in with a one-time link."""
        made = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        made.set_default_timeout(15_000)
        page = made.new_page()
        page.goto(f"{self.url}/sign-in/link/{accounts.make_link(self.services, self.users[role])}")
        page.click("form button")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page


@pytest.fixture
def site(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    """The application with its engine, a small shop and a Mautic."""
    folder = tmp_path / "instance"
    folder.mkdir()
    deployment = Deployment(
        instance_path=folder,
        secret_key="k" * 32,
        database_url=f"sqlite:///{folder / 'b.sqlite'}",
        ratelimit=False,
        private_hosts=("*",),
    )
    upgrade(deployment.database_url)
    plain = open_services(deployment)
    services = with_observers(plain, Capture(folder / "logs", plain.clock).observer)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    users = {role: accounts.create_user(services, 1, f"{role}@example.com", role) for role in Role}
    server = make_server("127.0.0.1", 0, create_app(deployment, services), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    engine = Embedded(services)
    with StoreServer() as store, MauticServer() as mautic:
        seed_store(store.state, customers=30, orders=60)
        seed_mautic(mautic.state)
        url = f"http://127.0.0.1:{server.port}"
        services.deployment = deployment.model_copy(update={"public_url": url})
        engine.start()
        made = Site(url, services, store, mautic, browser, users)
        yield made
        for context in browser.contexts:
            context.close()
        engine.stop()
    server.shutdown()
    services.db.dispose()


Words = Callable[[Page], str]
