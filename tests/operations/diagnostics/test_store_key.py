"""Test connection of a store: the key, its rights, and the clocks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from integration.clock import SetClock
from integration.sandbox.store import StoreServer
from integration.sandbox.store.auth import Pair
from tests.operations.diagnostics.conftest import Certificate, Scripted
from tests.operations.diagnostics.stepping import KEY, customers_and_orders, failure, look, outcome, warning


def test_no_key(store: StoreServer) -> None:
    assert outcome(failure(look(store.url, Pair("", "")))) == (4, "no_key")


@pytest.mark.parametrize("secure", [True, False])
def test_wrong_key(store: StoreServer, secure_store: StoreServer, certificate: Certificate, secure: bool) -> None:
    server = secure_store if secure else store
    step = failure(look(server.url, Pair("ck_" + "9" * 40, KEY.secret), ca=certificate.ca))
    assert outcome(step) == (4, "wrong_key")
    assert "ck_" in step.hint


def test_wrong_secret_over_https(secure_store: StoreServer, certificate: Certificate) -> None:
    step = failure(look(secure_store.url, Pair(KEY.key, "cs_" + "9" * 40), ca=certificate.ca))
    assert outcome(step) == (4, "wrong_secret")
    assert "cs_" in step.hint


def test_wrong_secret_over_http_is_a_wrong_signature(store: StoreServer) -> None:
    step = failure(look(store.url, Pair(KEY.key, "cs_" + "9" * 40)))
    assert outcome(step) == (4, "bad_signature")
    assert "secret" in step.hint


@pytest.mark.parametrize("secure", [True, False])
def test_read_only_key(store: StoreServer, secure_store: StoreServer, certificate: Certificate, secure: bool) -> None:
    server = secure_store if secure else store
    step = failure(look(server.url, server.credentials.read_only, ca=certificate.ca))
    assert outcome(step) == (4, "read_only_key")
    assert "Read/Write" in step.hint
    assert not server.state.webhooks


def test_read_only_key_is_enough_where_nothing_is_written(store: StoreServer) -> None:
    customers_and_orders(store)
    steps = look(store.url, store.credentials.read_only, writes=False)
    assert [step.state for step in steps] == ["ok"] * 5


def test_write_only_key(store: StoreServer) -> None:
    assert outcome(failure(look(store.url, store.credentials.write_only))) == (4, "write_only_key")


def test_key_without_rights(store: StoreServer) -> None:
    step = failure(look(store.url, store.credentials.no_rights))
    assert outcome(step) == (4, "no_rights")
    assert "orders, customers, webhooks" in step.sentence


def test_key_of_a_shop_manager_is_enough(store: StoreServer) -> None:
    assert look(store.url, store.credentials.manager)[3].state == "ok"


def test_authorization_header_is_dropped(secure_store: StoreServer, certificate: Certificate) -> None:
    customers_and_orders(secure_store)
    secure_store.faults.basic_disabled()
    step = warning(look(secure_store.url, ca=certificate.ca))
    assert outcome(step) == (4, "header_dropped")


def test_clocks_that_differ_are_a_warning(store: StoreServer) -> None:
    customers_and_orders(store)
    step = warning(look(store.url, clock=SetClock(datetime.now(UTC) + timedelta(minutes=10))))
    assert outcome(step) == (1, "clock_skew")
    assert "10 minutes behind" in step.sentence
    ahead = warning(look(store.url, clock=SetClock(datetime.now(UTC) - timedelta(minutes=10))))
    assert "10 minutes ahead" in ahead.sentence


def test_clocks_that_differ_by_four_minutes_are_fine(store: StoreServer) -> None:
    assert look(store.url, clock=SetClock(datetime.now(UTC) + timedelta(minutes=4)))[0].state == "ok"


def test_signatures_fail_when_clocks_differ_by_more_than_a_quarter_of_an_hour() -> None:
    # Here it is the store's clock that is wrong, and its Date header does not tell.
    now = datetime.now(UTC)
    with StoreServer(clock=SetClock(now + timedelta(minutes=30))) as server:
        steps = look(server.url, clock=SetClock(now - timedelta(minutes=30)))
    step = failure(steps)
    assert outcome(step) == (4, "clock")
    assert "30 minutes" in step.sentence


INDEX = json.dumps({"name": "Shop", "namespaces": ["wp/v2", "wc/v3"]})
NOBODY = json.dumps({"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot list resources."})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "[]"),
        (401, json.dumps({"code": "woocommerce_rest_authentication_error", "message": "Invalid signature - no match"})),
    ],
)
def test_a_store_behind_a_proxy_that_believes_in_http(
    secure_scripted: Scripted, certificate: Certificate, status: int, body: str
) -> None:
    secure_scripted.say("/wp-json/", 200, INDEX)
    secure_scripted.say("/wp-json/wc/v3/orders", 401, NOBODY)
    secure_scripted.say("/wp-json/wc/v3/orders?oauth_signature=", status, body)
    step = failure(look(secure_scripted.url, ca=certificate.ca))
    assert outcome(step) == (4, "not_told_https")
    assert "X-Forwarded-Proto" in step.hint


def test_a_key_that_no_signature_makes_known_is_wrong(secure_scripted: Scripted, certificate: Certificate) -> None:
    secure_scripted.say("/wp-json/", 200, INDEX)
    secure_scripted.say("/wp-json/wc/v3/orders", 401, NOBODY)
    step = failure(look(secure_scripted.url, ca=certificate.ca))
    assert outcome(step) == (4, "wrong_key")
    assert "staging copy" in step.hint
