"""The store makes a key and hands it over: states are signed, good once, for 15 minutes, for one connector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import Person, sign_in, text_of

PUBLIC = "https://sync.example.com"
HANDED = {"key_id": 1, "consumer_key": "ck_handed", "consumer_secret": "cs_handed", "key_permissions": "read_write"}


@pytest.fixture
def public_app(app: Flask, make_app: Callable[..., Flask]) -> Flask:
    return make_app(public_url=PUBLIC)


@pytest.fixture
def admin(public_app: Flask) -> Person:
    return sign_in(public_app, "admin")


@pytest.fixture
def asked(admin: Person, connector_id: int) -> dict[str, list[str]]:
    answer = admin.get(f"/connectors/{connector_id}/connection/store-key")
    return {"to": [answer.location.partition("?")[0]], **parse_qs(urlsplit(answer.location).query)}


def hand_over(app: Flask, state: str, **changes: Any):
    return app.test_client().post("/store-keys", json={**HANDED, "user_id": state, **changes})


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b"null", b"{", b"\xff", b'{"user_id": {"a": 1}}'], ids=lambda raw: repr(raw[:6])
)
def test_a_key_in_a_body_that_cannot_be_read_is_refused(public_app: Flask, raw: bytes) -> None:
    assert public_app.test_client().post("/store-keys", data=raw).status_code == 403


def test_the_administrator_is_sent_to_the_store(asked: dict[str, list[str]], connector_id: int) -> None:
    assert asked["to"] == ["https://127.0.0.1:9/wc-auth/v1/authorize"]
    assert asked["scope"] == ["read_write"]
    assert asked["callback_url"] == [f"{PUBLIC}/store-keys"]
    assert asked["return_url"] == [f"{PUBLIC}/connectors/{connector_id}/connection/store-key/back"]


def test_the_key_is_stored_and_answered_with_200(
    public_app: Flask,
    asked: dict[str, list[str]],
    services: Services,
    connector: Callable[[], Connector],
    audit_of: Callable,
) -> None:
    answer = hand_over(public_app, asked["user_id"][0])
    assert (answer.status_code, answer.data) == (200, b"")
    secrets = services.secrets(connector())
    assert (secrets["store_key"], secrets["store_secret"]) == ("ck_handed", "cs_handed")
    (entry,) = audit_of("UPDATED")
    assert entry.actor == "admin@example.com"
    assert entry.diff == {"store_key": "changed", "store_secret": "changed"}


def test_a_state_is_good_once(public_app: Flask, asked: dict[str, list[str]]) -> None:
    assert hand_over(public_app, asked["user_id"][0]).status_code == 200
    assert hand_over(public_app, asked["user_id"][0], consumer_key="ck_later").status_code == 403


def test_a_state_ends_after_15_minutes(public_app: Flask, asked: dict[str, list[str]], clock: SetClock) -> None:
    clock.advance(minutes=15, seconds=1)
    assert hand_over(public_app, asked["user_id"][0]).status_code == 403


def test_a_state_ends_when_the_address_changes(
    public_app: Flask, asked: dict[str, list[str]], services: Services, connector_id: int
) -> None:
    pairs.connect(services, connector_id, store_url="https://other.example.com")
    assert hand_over(public_app, asked["user_id"][0]).status_code == 403


@pytest.mark.parametrize("state", ["", "1", "made-up", "WzEsMV0.c2lnbmF0dXJl"])
def test_a_state_of_ones_own_is_refused(public_app: Flask, connector_id: int, state: str) -> None:
    assert hand_over(public_app, state).status_code == 403


@pytest.mark.parametrize("changes", [{"consumer_key": ""}, {"consumer_key": "x"}, {"consumer_secret": None}])
def test_what_is_no_key_is_refused(public_app: Flask, asked: dict[str, list[str]], changes: dict[str, Any]) -> None:
    assert hand_over(public_app, asked["user_id"][0], **changes).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b'"text"'])
def test_what_is_no_object_is_refused(public_app: Flask, body: bytes) -> None:
    assert public_app.test_client().post("/store-keys", data=body).status_code == 403


def test_it_is_offered_over_https_only(app: Flask, admin: Person, connector_id: int) -> None:
    path = f"/connectors/{connector_id}/connection"
    assert "Connect through the store" in text_of(admin.get(path))
    plain = sign_in(app, "admin")
    assert "Connect through the store" not in text_of(plain.get(path))
    assert plain.get(f"{path}/store-key").status_code == 404


@pytest.mark.parametrize(("success", "words"), [("1", "The store has handed over a key."), ("0", "was not allowed")])
def test_the_way_back_says_what_came_of_it(admin: Person, connector_id: int, success: str, words: str) -> None:
    path = f"/connectors/{connector_id}/connection/store-key/back?success={success}&user_id=x"
    assert words in text_of(admin.get(path, follow_redirects=True))
