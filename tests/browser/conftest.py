"""A real browser, the real application on a socket, its engine, and both stand-ins; and a shop that has our line."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import delete

from integration.config import Deployment
from integration.engines.embedded import Embedded
from integration.models import Cart, Connector, Organisation, Role
from integration.operations.identity import accounts
from integration.operations.support.debug_capture import Capture
from integration.pipeline.connectors import connectors, field_list
from integration.pipeline.services import Services, open_services, with_observers
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.seed import seed as seed_mautic
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed as seed_store
from tests.browser.shops import NAMED, PATIENCE_MS, Shop, line
from tests.conftest import NOON
from tests.schema import make_newest
from tests.serving import serving

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Browsers trust this machine's own address without https, but not a name.
    f"--host-resolver-rules=MAP {NAMED} 127.0.0.1",
)
WITHOUT_CHROMIUM = "Chromium is not installed (apt-get install chromium)"

expect.set_options(timeout=PATIENCE_MS)


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
        made.set_default_timeout(PATIENCE_MS)
        page = made.new_page()
        page.goto(f"{self.url}/sign-in/link/{accounts.make_link(self.services, self.users[role])}")
        page.click("form button")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page


def installed(folder: Path) -> Services:
    """Return services on a new database with one organisation."""
    deployment = Deployment(
        instance_path=folder,
        secret_key="k" * 32,
        database_url=f"sqlite:///{folder / 'b.sqlite'}",
        ratelimit=False,
        private_hosts=("*",),
    )
    make_newest(deployment.database_url)
    services = open_services(deployment)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    return services


@pytest.fixture
def site(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    """The application with its engine, a small shop and a Mautic."""
    folder = tmp_path / "instance"
    folder.mkdir()
    plain = installed(folder)
    services = with_observers(plain, Capture(folder / "logs", plain.clock).observer)
    users = {role: accounts.create_user(services, 1, f"{role}@example.com", role) for role in Role}
    engine = Embedded(services)
    with serving(services) as url, StoreServer() as store, MauticServer() as mautic:
        seed_store(store.state, customers=30, orders=60)
        seed_mautic(mautic.state)
        engine.start()
        yield Site(url, services, store, mautic, browser, users)
        close_pages(browser)
        engine.stop()
    services.db.dispose()


@pytest.fixture(scope="module", params=["9.9.5", "10.5.0"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Shop]:
    """A shop of each version and the application, without its engine."""
    services = installed(tmp_path_factory.mktemp("capture"))
    with serving(services), StoreServer() as store:
        store.state.version = request.param
        seed_store(store.state, customers=5, orders=5)
        number = connectors.create(services, organisation_id=1, name="Shop", store_url=store.url)
        yield Shop(services, number, store, browser)
    services.db.dispose()


@pytest.fixture
def shop(served: Shop) -> Iterator[Shop]:
    """The shop without carts, asking for consent, our line in each page."""
    with served.services.db.write() as session:
        session.execute(delete(Cart))
    served.set(enabled=True, box=True, silent=False)
    setup, ours = served.store.storefront, line(served.services, served.connector_id)
    setup.script, setup.csp, setup.firewall, setup.has_reminder_field, setup.fields_after = ours, "", False, False, 0.3
    yield served
    # A page that stays open goes on telling of its cart.
    close_pages(served.browser)


def close_pages(browser: Browser) -> None:
    for context in browser.contexts:
        context.close()


Words = Callable[[Page], str]
