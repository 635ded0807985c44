"""The stand-in as a server: connections, TLS, restarts, what it keeps, rights, versions and the demo's data."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import trustme
from mautic_api import Api, api_of

from integration.sandbox.mautic import MauticServer, seed

NEW = "/api/contacts/new"


def test_connections_stay_open(server: MauticServer) -> None:
    """Two requests go over one connection."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    for _ in range(2):
        connection.request("POST", "/api/contacts/new", body=b"x" * 100)
        response = connection.getresponse()
        assert (response.status, response.version) == (401, 11)
        response.read()
        assert connection.sock is not None
    connection.close()


def test_stopping_ends_connections_and_frees_the_port() -> None:
    """A stopped server answers nobody, not even on old connections, and comes back with what it knew."""
    server = MauticServer()
    with server:
        port, api = server.port, api_of(server)
        api("POST", NEW, json={"email": "ada@example.com"})
    with pytest.raises(requests.ConnectionError):
        api("GET", "/api/contacts")
    with server:
        assert server.port == port
        assert api("GET", "/api/contacts").json()["total"] == "1"


def test_tls(tmp_path: Path) -> None:
    """The same answers come over TLS."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with MauticServer(ssl_context=context) as server:
        assert server.url.startswith("https://")
        answer = api_of(server)("GET", "/api/contacts", verify=str(tmp_path / "ca.pem"))
        assert answer.json() == {"total": "0", "contacts": {}}


def test_state_is_saved_and_loaded(tmp_path: Path) -> None:
    """Contacts, tags, notes, fields and ids survive a restart."""
    path = tmp_path / "mautic.json"
    with MauticServer(save_to=path) as server:
        api = api_of(server)
        api(
            "POST", "/api/fields/contact/new", json={"label": "Shop id", "alias": "shop_id", "isUniqueIdentifier": True}
        )
        api("POST", NEW, json={"email": "ada@example.com", "tags": ["vip"], "shop_id": "K-1"})
        api("POST", "/api/notes/new", json={"lead": 1, "text": "Order 1"})
    with MauticServer(save_to=path) as server:
        api = api_of(server)
        again = api("POST", NEW, json={"shop_id": "K-1", "city": "Rome"})
        assert (again.status_code, again.json()["contact"]["fields"]["all"]["email"]) == (200, "ada@example.com")
        assert api("GET", "/api/contacts/1/notes").json()["notes"][0]["text"] == "Order 1"
        assert api("POST", NEW, json={"email": "b@example.com", "tags": ["vip"]}).json()["contact"]["id"] == 2
        assert server.state.tag_names(server.state.contacts[2]) == ["vip"]


def test_seed_is_there_before_the_first_change(tmp_path: Path) -> None:
    """What was seeded before the start is saved too, and is not seeded twice."""
    path = tmp_path / "mautic.json"
    for _ in range(2):
        server = MauticServer(save_to=path)
        seed(server.state)
        with server:
            api = api_of(server)
            emails = api("GET", "/api/emails").json()["emails"].values()
            assert {"Order completed", "Order refunded"} <= {email["name"] for email in emails}
            assert {row["alias"] for row in server.state.segments.values()} == {"customers", "newsletter"}
            assert api("GET", "/api/contacts?search=segment:newsletter").json()["total"] == "2"
            assert api("GET", "/api/contacts").json()["total"] == "4"


def test_rights_of_the_editor(server: MauticServer) -> None:
    """The editor writes contacts but may not add notes or fields; the viewer only reads."""
    known = server.credentials
    editor = api_of(server, known.editor, known.editor_password)
    viewer = api_of(server, known.viewer, known.viewer_password)
    assert editor("POST", NEW, json={"email": "ada@example.com"}).status_code == 201
    assert editor("POST", "/api/notes/new", json={"lead": 1, "text": "x"}).status_code == 403
    assert editor("POST", "/api/fields/contact/new", json={"label": "x"}).status_code == 403
    assert editor("GET", "/api/segments").status_code == 200
    assert viewer("GET", "/api/contacts").status_code == 200
    assert viewer("PATCH", "/api/contacts/1/edit", json={"city": "Rome"}).status_code == 403


def test_the_client_is_no_user(server: MauticServer) -> None:
    """An OAuth2 client writes, but has no self; its tokens expire with the clock."""
    known = server.credentials
    known.token_lifetime = 60
    form = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret}
    given = requests.post(f"{server.url}/oauth/v2/token", data=form, timeout=30).json()
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert given["expires_in"] == 60
    assert requests.get(f"{server.url}/api/users/self", headers=headers, timeout=30).status_code == 404
    server.authentication.expire()
    expired = requests.get(f"{server.url}/api/contacts", headers=headers, timeout=30)
    assert "expired" in expired.json()["errors"][0]["message"]


def test_calls_are_counted(server: MauticServer, api: Api) -> None:
    """Requests and rows are counted until they are reset."""
    api("POST", "/api/contacts/batch/new", json=[{"email": "a@example.com"}, {"email": "b@example.com"}])
    api("GET", "/api/contacts")
    assert server.calls.count("/api/contacts") == 2
    assert server.calls.count("/api/contacts", "POST") == 1
    assert server.calls.rows("/api/contacts/batch") == 2
    server.calls.reset()
    assert (len(server.calls), server.calls.total) == (0, 0)


@pytest.mark.parametrize(
    ("version", "country", "status"),
    [("4.4", "Turkey", 201), ("4.4", "Türkiye", 400), ("5.2.1", "Türkiye", 201), ("5.2.1", "Turkey", 400)],
)
def test_names_of_countries_change(version: str, country: str, status: int) -> None:
    """Mautic 5 renamed some."""
    with MauticServer(version=version) as server:
        assert api_of(server)("POST", NEW, json={"email": "a@example.com", "country": country}).status_code == status


@pytest.mark.parametrize(("version", "sent"), [("4.4", False), ("5.2.1", True)])
def test_do_not_contact_holds_back_only_mautic_4(version: str, sent: bool) -> None:
    """Later ones send all the same (recording 321)."""
    with MauticServer(version=version) as server:
        seed(server.state)
        api = api_of(server)
        api("POST", "/api/contacts/1/dnc/email/add", json={"reason": 1})
        answer = api("POST", "/api/emails/1/contact/1/send", json={"tokens": {"order_number": "<b>7</b>"}})
        assert (answer.status_code, answer.json()["success"]) == (200, sent)
        assert len(server.state.sent) == int(sent)


def test_tokens_are_filled_in(server: MauticServer, api: Api) -> None:
    """A sent e-mail holds what the contact reads."""
    seed(server.state)
    api("POST", "/api/emails/1/contact/4/send", json={"tokens": {"{order_number}": "1001"}})
    sent = server.state.sent[0]
    assert (sent["address"], sent["subject"]) == ("ada@example.com", "Your order 1001 is complete")
    assert "Thank you Ada" in sent["html"]


@pytest.mark.parametrize(
    "conditions", ["where[0][col]=email&where[0][expr]=eq&where[0][val]=A7@example.com", "search=email:a7@example.com"]
)
def test_many_contacts_are_found_by_index(server: MauticServer, api: Api, conditions: str) -> None:
    """One of two thousand is found by its address, and pages by id are complete."""
    for start in range(0, 2000, 200):
        rows = [{"email": f"a{number}@example.com"} for number in range(start, start + 200)]
        assert set(api("POST", "/api/contacts/batch/new", json=rows).json()["statusCodes"]) == {201}
    found = api("GET", f"/api/contacts?minimal=1&{conditions}").json()
    assert (found["total"], list(found["contacts"])) == ("1", ["8"])
    page = api("GET", "/api/contacts?minimal=1&orderBy=id&start=1990&limit=100").json()
    assert list(page["contacts"]) == [str(number) for number in range(1991, 2001)]


def test_or_conditions(server: MauticServer, api: Api) -> None:
    """Where conditions may be nested with orX."""
    for city in ("Rome", "Paris", "Bern"):
        api("POST", NEW, json={"email": f"{city}@example.com", "city": city})
    names = {"where[0][expr]": "orX"}
    for place, city in enumerate(("Rome", "Bern")):
        names |= {
            f"where[0][val][{place}][{key}]": value for key, value in {"col": "city", "expr": "eq", "val": city}.items()
        }
    assert api("GET", "/api/contacts", params=names).json()["total"] == "2"


@pytest.mark.parametrize(("asked", "version"), [("5.2", "5.2.1"), ("7.0", "7.0.0")])
def test_the_demo_is_started_with_a_version(tmp_path: Path, asked: str, version: str) -> None:
    """The process says where its ends are, and its Mautic is of the version that was asked for."""
    command = [sys.executable, "-m", "integration.sandbox", "--folder", str(tmp_path), "--mautic-version", asked]
    command += ["--customers", "1", "--orders", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        where = json.loads(child.stdout.readline())
        form = {
            "grant_type": "client_credentials",
            "client_id": where["mautic_client_id"],
            "client_secret": where["mautic_client_secret"],
        }
        token = requests.post(f"{where['mautic_url']}/oauth/v2/token", data=form, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{where['mautic_url']}/api/contacts", headers=headers, timeout=30)
        assert answer.headers["Mautic-Version"] == version
        assert child.stdin is not None
        child.stdin.close()
