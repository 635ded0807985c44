"""OAuth2 with an authorization code: the state in the session decides, the token is kept sealed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.models import Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.pipeline.stored_tokens import StoredTokens
from tests.web.conftest import Person, sign_in, text_of

Read = Callable[[], Connector]


class TokenServer(HTTPServer):
    """A Mautic of which only the token address is there; `forms` are what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.forms: list[dict[str, list[str]]] = []


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert isinstance(self.server, TokenServer)
        self.server.forms.append(form)
        good = form.get("code") == ["the-code"]
        token = {"access_token": "at", "expires_in": 3600, "refresh_token": "rt", "token_type": "bearer"}
        problem = {"errors": [{"message": "Code doesn't exist or is invalid", "code": 400, "type": "invalid_grant"}]}
        body = json.dumps(token if good else problem).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def mautic() -> Iterator[TokenServer]:
    server = TokenServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def state(admin: Person, services: Services, connector_id: int, mautic: TokenServer) -> str:
    url = f"http://127.0.0.1:{mautic.server_port}"
    pairs.connect(services, connector_id, mautic_url=url, mautic_method="authorization_code")
    target = admin.get(f"/connectors/{connector_id}/connection/mautic-sign-in").location
    query = parse_qs(urlsplit(target).query)
    assert target.startswith(f"{url}/oauth/v2/authorize?")
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/oauth/mautic/callback"]
    return query["state"][0]


def back(person: Person, **query: str) -> str:
    return text_of(person.get("/oauth/mautic/callback", query_string=query, follow_redirects=True))


def test_the_code_becomes_a_token_that_is_kept(
    admin: Person, state: str, services: Services, connector: Read, mautic: TokenServer, audit_of: Callable
) -> None:
    assert "Mautic lets us in." in back(admin, state=state, code="the-code")
    token = StoredTokens(services, connector().id).load()
    assert token is not None
    assert (token.access_token, token.refresh_token) == ("at", "rt")
    assert mautic.forms[0]["redirect_uri"] == ["http://127.0.0.1:8000/oauth/mautic/callback"]
    assert audit_of("UPDATED")[-1].diff == {"mautic_token": "changed"}


@pytest.mark.parametrize("given", ["", "another", "é"])
def test_another_state_is_refused_and_nothing_is_sent(
    admin: Person, state: str, connector: Read, mautic: TokenServer, given: str
) -> None:
    assert "not one that was begun here" in back(admin, state=given, code="the-code")
    assert connector().mautic_token is None
    assert mautic.forms == []


def test_a_state_is_good_once(admin: Person, state: str, mautic: TokenServer) -> None:
    back(admin, state=state, code="the-code")
    assert "not one that was begun here" in back(admin, state=state, code="the-code")
    assert len(mautic.forms) == 1


def test_a_state_is_bound_to_the_session(app, super_admin: Person, state: str, mautic: TokenServer) -> None:
    assert "not one that was begun here" in back(sign_in(app, "admin"), state=state, code="the-code")
    assert mautic.forms == []


def test_a_refusal_in_mautic_is_said(admin: Person, state: str, connector: Read) -> None:
    assert "Mautic was not allowed to let us in." in back(admin, state=state, error="access_denied")
    assert connector().mautic_token is None


def test_a_code_that_mautic_refuses_is_said(admin: Person, state: str, connector: Read) -> None:
    words = back(admin, state=state, code="stale")
    assert "Mautic lets us in" not in words
    assert connector().mautic_token is None
