from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.clock import SetClock
from integration.errors import AuthRejected, NotSetUp, ServerFault
from integration.http.transport import Transport
from integration.mautic.access import MauticAccess, MemoryTokens, Token
from integration.mautic.auth import authorize_url, exchange_code
from integration.mautic.client import MauticClient
from tests.mautic.script import NOON, Script, canned

OK = canned({"total": "0", "contacts": {}})


def token(text: str, **more: object) -> object:
    return {"access_token": text, "expires_in": 3600, "token_type": "bearer", "scope": None, **more}


def test_basic_sends_user_and_password(basic: MauticClient, script: Script) -> None:
    script.then(OK)
    basic.get("contacts")
    assert script.seen[0].headers["Authorization"] == "Basic YWRtaW46c2VjcmV0"


@pytest.mark.parametrize("method", ["basic", "client_credentials"])
def test_without_credentials_nothing_is_sent(method: str, script: Script) -> None:
    client = MauticClient(MauticAccess(script.url, method))  # type: ignore[arg-type]  # parametrised
    with pytest.raises(AuthRejected) as told:
        client.get("contacts")
    assert told.value.code == "no_credentials"
    assert not script.seen


def test_a_token_is_fetched_once_and_kept(oauth: MauticClient, script: Script, tokens: MemoryTokens) -> None:
    script.then("007", OK, OK)
    oauth.get("contacts")
    oauth.get("contacts")
    assert [seen.path for seen in script.seen] == ["/oauth/v2/token", "/api/contacts", "/api/contacts"]
    form = parse_qs(script.seen[0].body)
    assert form == {"grant_type": ["client_credentials"], "client_id": ["1_abc"], "client_secret": ["xyz"]}
    assert "Authorization" not in script.seen[0].headers
    kept = tokens.load()
    assert kept is not None and kept.expires_at == NOON + timedelta(hours=1)
    assert script.seen[2].headers["Authorization"] == f"Bearer {kept.access_token}"


def test_a_token_is_renewed_before_it_expires(oauth: MauticClient, script: Script, clock: SetClock) -> None:
    script.then("007", OK, canned(token("second")), OK)
    oauth.get("contacts")
    clock.advance(minutes=59, seconds=30)
    oauth.get("contacts")
    assert script.seen[3].headers["Authorization"] == "Bearer second"


def test_a_refused_token_is_replaced_once(oauth: MauticClient, script: Script, tokens: MemoryTokens) -> None:
    tokens.save(Token("stale", NOON + timedelta(hours=1)))
    script.then("018", canned(token("fresh")), OK)
    assert oauth.get("contacts") == {"total": "0", "contacts": {}}
    assert script.seen[2].headers["Authorization"] == "Bearer fresh"


def test_a_token_refused_twice_is_an_error(oauth: MauticClient, script: Script) -> None:
    script.then("007", "018", canned(token("fresh")), "005")
    with pytest.raises(AuthRejected) as told:
        oauth.get("contacts")
    assert told.value.code == "token_refused"
    assert len(script.seen) == 4


def test_another_process_may_have_renewed_already(oauth: MauticClient, script: Script, tokens: MemoryTokens) -> None:
    tokens.save(Token("renewed", NOON + timedelta(hours=1)))
    oauth.login.replace("Bearer stale")
    assert not script.seen


def test_threads_share_one_renewal(oauth: MauticClient, script: Script) -> None:
    script.then("007", OK, OK, OK, OK)
    threads = [threading.Thread(target=oauth.get, args=("contacts",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seen.path for seen in script.seen].count("/oauth/v2/token") == 1


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [("011", AuthRejected, "invalid_client"), ("358", NotSetUp, "api_disabled"), ("063", NotSetUp, "no_route")],
)
def test_a_refused_sign_in_is_named(
    number: str, kind: type[Exception], code: str, oauth: MauticClient, script: Script
) -> None:
    script.then(number)
    with pytest.raises(kind) as told:
        oauth.get("contacts")
    assert told.value.code == code  # type: ignore[attr-defined]  # all kinds are service errors


def test_an_answer_without_a_token_is_unreadable(oauth: MauticClient, script: Script) -> None:
    script.then(canned({"token_type": "bearer"}))
    with pytest.raises(ServerFault):
        oauth.get("contacts")


@pytest.fixture
def code_access(script: Script) -> MauticAccess:
    return MauticAccess(script.url + "/mautic/", "authorization_code", client_id="1_abc", client_secret="xyz")


def test_the_page_of_authorisation(code_access: MauticAccess) -> None:
    parts = urlsplit(authorize_url(code_access, "https://app.example.com/back?x=1", "st/ate"))
    assert parts.path == "/mautic/oauth/v2/authorize"
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert query["redirect_uri"] == "https://app.example.com/back?x=1"
    assert (query["state"], query["response_type"], query["client_id"]) == ("st/ate", "code", "1_abc")


def test_a_code_becomes_a_token(code_access: MauticAccess, script: Script, clock: SetClock) -> None:
    script.then(canned(token("first", refresh_token="again")))
    got = exchange_code(code_access, "c0de", "https://app.example.com/back", Transport("mautic"), clock)
    assert (got.access_token, got.refresh_token) == ("first", "again")
    form = parse_qs(script.seen[0].body)
    assert (form["grant_type"], form["code"]) == (["authorization_code"], ["c0de"])


def test_a_refresh_token_rotates(code_access: MauticAccess, script: Script, clock: SetClock) -> None:
    box = MemoryTokens(Token("old", NOON - timedelta(hours=1), "r1"))
    client = MauticClient(code_access, box, clock)
    script.then(canned(token("new", refresh_token="r2")), OK)
    client.get("contacts")
    assert parse_qs(script.seen[0].body)["refresh_token"] == ["r1"]
    kept = box.load()
    assert kept is not None and kept.refresh_token == "r2"


def test_a_lost_authorisation_asks_for_a_new_one(code_access: MauticAccess, script: Script, clock: SetClock) -> None:
    client = MauticClient(code_access, MemoryTokens(), clock)
    with pytest.raises(AuthRejected) as told:
        client.get("contacts")
    assert told.value.code == "not_authorised"
    client = MauticClient(code_access, MemoryTokens(Token("old", NOON, "r1")), clock)
    script.then(canned({"errors": [{"code": 400, "message": "", "type": "invalid_grant"}]}, 400))
    with pytest.raises(AuthRejected) as told:
        client.get("contacts")
    assert told.value.code == "grant_refused"
