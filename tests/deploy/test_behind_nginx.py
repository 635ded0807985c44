"""The application as docs/deploy.md installs it: `woo-mautic serve` behind nginx, on https, from start to sync."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import select
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from integration.config import load
from integration.models import AuditEntry, Run
from integration.operations.identity import tokens
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed
from integration.web.frame.security import LARGEST_BODY
from tests.bench.world import signed, whereabouts
from tests.cli.started import start
from tests.nginx import NAME, SITE, WITHOUT_NGINX, Front, nginx, program
from tests.postgres import free_port
from tests.waiting import wait_for

URL = f"https://{NAME}"
#: What somebody outside may send to be taken for another one, or to be led elsewhere.
LIES = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Protocol": "http",
    "X-Forwarded-Ssl": "off",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=http",
    "X-Real-IP": "203.0.113.9",
    "SCRIPT_NAME": "/evil",
}


class ToNginx(HTTPAdapter):
    """Leads the name's requests to nginx, from an address of this machine; certificates are checked for the name."""

    def __init__(self, front: Front, source: str) -> None:
        self._front, self._source = front, (source, 0)
        super().__init__()

    def get_connection_with_tls_context(self, request: Any, *_: Any, **__: Any) -> Any:
        if request.url.startswith("http:"):
            return HTTPConnectionPool("127.0.0.1", self._front.http, source_address=self._source)
        named = {"server_hostname": NAME, "assert_hostname": NAME}
        return HTTPSConnectionPool("127.0.0.1", self._front.https, source_address=self._source, **named)


def client(front: Front, source: str = "127.0.0.1") -> requests.Session:
    """Return a browser, as far as it goes: it keeps cookies and follows redirections."""
    made = requests.Session()
    made.trust_env, made.verify = False, str(front.authority)
    made.headers.update({"Host": NAME, "Referer": f"{URL}/"})
    for scheme in ("http://", "https://"):
        made.mount(scheme, ToNginx(front, source))
    return made


@dataclass
class Behind:
    """The installation behind nginx: its one-time link, the services on its database, and both ends."""

    front: Front
    link: str
    services: Services
    store: StoreServer
    mautic: MauticServer
    connector_id: int
    browser: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        self.browser = client(self.front)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.browser.get(URL + path, timeout=30, **options)

    def post(self, path: str, data: dict[str, str], page: str = "/password", **options: Any) -> requests.Response:
        """Send a form with the CSRF token of a page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found is not None
        return self.browser.post(URL + path, {"csrf_token": found[1], **data}, timeout=60, **options)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Start it once for this file: a process of the app with the settings of the guide, nginx, and both ends."""
    if program() is None:
        pytest.skip(WITHOUT_NGINX)
    folder = tmp_path_factory.mktemp("nginx")
    instance = folder / "instance"
    instance.mkdir()
    guide = SITE.with_name("config.py").read_text(encoding="utf-8")
    (instance / "config.py").write_text(f'{guide}\nPRIVATE_HOSTS = "127.0.0.1"\nLOG_LEVEL = "ERROR"\n')
    environ = {"INSTANCE_PATH": str(instance), "PATH": "/usr/bin", "PYTHONPATH": str(SITE.parents[2])}
    port = str(free_port())
    child, link = start(environ, "serve", port)
    services = open_services(load(environ))
    try:
        with StoreServer() as store, MauticServer() as mautic, nginx(folder, port) as front:
            seed(store.state, customers=5, orders=8)
            number = connectors.create(services, organisation_id=1, name="Shop", **whereabouts(store, mautic))
            yield Behind(front, link, services, store, mautic, number)
    finally:
        child.send_signal(signal.SIGTERM)
        services.db.dispose()
    assert child.wait(timeout=45) == 0


def test_http_leads_to_https_and_answers_are_protected(behind: Behind) -> None:
    plain = client(behind.front).get(f"http://{NAME}/sign-in?next=/x", allow_redirects=False, timeout=30)
    assert (plain.status_code, plain.headers["Location"]) == (301, f"{URL}/sign-in?next=/x")
    page = client(behind.front).get(f"{URL}/sign-in", timeout=30)
    assert page.status_code == 200 and "max-age=" in page.headers["Strict-Transport-Security"]
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options"):
        # One proxy that writes them as well would make them two.
        assert page.raw.headers.getlist(name) == [page.headers[name]]
    assert not re.search(r"nginx/\d", page.headers["Server"]) and "gunicorn" not in page.headers["Server"]
    assert "Content-Encoding" not in page.headers
    style = client(behind.front).get(URL + re.findall(r'href="(/static/[^"]+\.css)', page.text)[0], timeout=30)
    assert (style.status_code, style.headers["Content-Encoding"]) == (200, "gzip")


def test_a_body_that_is_too_large_is_refused_in_the_applications_words_and_then_by_the_wall(behind: Behind) -> None:
    here = client(behind.front)
    assert here.post(f"{URL}/hooks/x", b"a" * (LARGEST_BODY - 10), timeout=30).status_code == 404
    told = here.post(f"{URL}/api/v1/connectors/1/orders", b"a" * (LARGEST_BODY + 10), timeout=30)
    assert "nginx" not in told.text
    wall = here.post(f"{URL}/hooks/x", b"a" * (LARGEST_BODY + 3_000_000), timeout=30)
    assert wall.status_code == 413 and "nginx" in wall.text


def test_what_a_visitor_says_of_himself_is_not_believed(behind: Behind) -> None:
    there = client(behind.front, "127.0.0.2")
    there.headers.update(LIES)
    page = there.get(f"{URL}/sign-in", timeout=30)
    assert page.status_code == 200 and "evil" not in page.text
    led = there.get(f"{URL}/account/nowhere", allow_redirects=False, timeout=30)
    assert "evil" not in led.headers.get("Location", "") and "http://" not in led.headers.get("Location", "")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    form = {"csrf_token": token[1], "email": "spoof@shop.example", "password": "wrong"}
    answers = []
    for number in range(11):
        there.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        answers.append(there.post(f"{URL}/sign-in", form, timeout=30).status_code)
    assert answers == [401] * 10 + [429]
    with behind.services.db.read() as session:
        query = select(AuditEntry.ip).where(AuditEntry.actor == form["email"])
        # nginx is at 127.0.0.1: what it says of the visitor is believed.
        assert set(session.scalars(query)) == {"127.0.0.2"}
    assert there.get(f"{URL}/sign-in", headers={"Host": "evil.example"}, timeout=30).status_code == 400


def test_the_main_journey_from_the_first_link_to_the_synced_order(behind: Behind) -> None:
    number = behind.connector_id
    connector = f"/connectors/{number}"
    # Sign in with the link that `serve` printed.
    entered = behind.post(behind.link, {}, page=behind.link, allow_redirects=False)
    assert entered.status_code == 302 and entered.headers["Location"].startswith(("/", URL))
    [cookie] = [each for each in entered.raw.headers.getlist("Set-Cookie") if each.startswith("woo_mautic=")]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.replace(" ", "").split(";"))
    assert behind.get("/").status_code == 200
    # A form without its token, or from elsewhere, changes nothing.
    assert behind.browser.post(f"{URL}{connector}/connection/test", {"as_saved": "1"}, timeout=30).status_code == 400
    foreign = {"Referer": "https://evil.example/"}
    assert behind.post(f"{connector}/connection/test", {"as_saved": "1"}, headers=foreign).status_code == 400
    # Both connections, tested step by step, and webhooks with the public address.
    tested = behind.post(f"{connector}/connection/test", {"as_saved": "1"}, headers={"X-Live": "1"}, stream=True)
    assert tested.status_code == 200 and "chunked" in tested.headers["Transfer-Encoding"] and tested.text
    assert behind.post(f"{connector}/webhooks/register", {}).status_code == 200
    hooks = list(behind.store.state.webhooks.values())
    assert hooks and all(hook["delivery_url"].startswith(f"{URL}/hooks/") for hook in hooks)
    # The import, watched by the part of the page that asks for itself.
    begun = behind.post(f"{connector}/imports/start-with-fields", {"page": "contacts"})
    assert "The initial import has been started." in begun.text
    wait_for(lambda: _states(behind) == ["COMPLETED"], "the import", seconds=60)
    part = behind.get(f"{connector}/imports/progress?page=contacts", headers={"HX-Request": "true"})
    assert (part.headers["Live-Status"], "<html" in part.text) == ("ok", False)
    # An order that a webhook brings, signed with the secret that the store was given.
    order = behind.store.shop.place_order(status="completed", billing={"email": "new@shop.example"})
    body = json.dumps(behind.store.shop.shown(order["id"])).encode()
    hook = next(hook for hook in hooks if hook["topic"] == "order.updated")
    path = hook["delivery_url"].removeprefix(URL)
    outside = client(behind.front)
    assert outside.post(URL + path, body, headers=signed(body, "not the secret"), timeout=30).status_code == 401
    assert outside.post(URL + path, body, headers=signed(body, hook["secret"]), timeout=30).status_code == 200
    address = "new@shop.example"
    contacts = behind.mautic.state.contacts
    wait_for(lambda: any(c.values.get("email") == address for c in contacts.values()), "the contact", seconds=60)
    # Machines: API and metrics by token; the log and its export for people.
    token = {"Authorization": f"Bearer {tokens.make(behind.services, 1, 'test', ['logs'], 'test', 1).secret}"}
    wait_for(lambda: str(order["number"]) in behind.get(f"{connector}/tools/log").text, "the entry", seconds=30)
    told = outside.get(f"{URL}/api/v1/connectors/{number}/log", headers=token, timeout=30).json()
    assert str(order["number"]) in {entry["object_id"] for entry in told["entries"]}
    assert "woo_mautic_health" in outside.get(f"{URL}/metrics", headers=token, timeout=30).text
    assert outside.get(f"{URL}/metrics", timeout=30).status_code == 401
    assert outside.get(f"{URL}/readyz", timeout=30).json() == {"status": "ready"}
    assert str(order["number"]) in behind.get(f"{connector}/tools/log.csv").text


def _states(behind: Behind) -> list[str]:
    with behind.services.db.read() as session:
        return list(session.scalars(select(Run.state)))


def test_the_guide_names_every_file_and_its_limits_are_the_applications() -> None:
    guide = SITE.parents[1].joinpath("deploy.md").read_text(encoding="utf-8")
    for file in SITE.parent.rglob("*"):
        assert not file.is_file() or file.name in guide, file
    walls = re.findall(r"client_max_body_size (\d+)m;", SITE.read_text(encoding="utf-8"))
    assert [int(wall) * 1024 * 1024 > LARGEST_BODY for wall in walls] == [True]
