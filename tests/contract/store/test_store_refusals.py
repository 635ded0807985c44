"""Credentials that fail are refused as they were on the recorded shop."""

from __future__ import annotations

import pytest
from store_client import Client, Reply, basic, signed
from store_numbers import SIGNED_WRONGLY, UNKNOWN
from store_recordings import at_home, recording

from integration.sandbox.store.auth import Pair

ORDERS = "/wp-json/wc/v3/orders"
NARROW = f"{ORDERS}?per_page=1&_fields=id"


def check(number: int, reply: Reply) -> None:
    recorded = recording(number)
    assert reply.status == recorded.status
    assert reply.json == recorded.body
    assert reply.headers.get("Allow") == recorded.header("Allow")


def test_a_wrong_key_over_https_counts_as_none(secure: Client) -> None:
    check(167, secure.replay(recording(167), UNKNOWN))


def test_a_wrong_secret_is_named(secure: Client) -> None:
    check(168, secure.replay(recording(168), Pair(secure.server.credentials.key, "cs_wrong")))


@pytest.mark.parametrize("number", [171, 172])
def test_nobody_may_neither_read_nor_write(number: int, secure: Client) -> None:
    check(number, secure.replay(recording(number)))


def test_basic_over_http_is_not_looked_at(plain: Client) -> None:
    check(173, plain.send("GET", ORDERS, headers=basic(plain.server.credentials)))


def test_keys_in_the_query_over_http_are_not_looked_at(plain: Client) -> None:
    pair = plain.server.credentials
    check(174, plain.send("GET", f"{ORDERS}?consumer_key={pair.key}&consumer_secret={pair.secret}"))


@pytest.mark.parametrize("number", SIGNED_WRONGLY)
def test_signatures_that_fail_say_why(number: int, plain: Client) -> None:
    target = NARROW if "?per_page" in recording(number).path else ORDERS
    changed = SIGNED_WRONGLY[number]

    check(number, plain.send("GET", signed("GET", plain.server.url, target, plain.server.credentials, **changed)))


def test_hmac_sha1_is_taken_too(plain: Client) -> None:
    reply = plain.send("GET", signed("GET", plain.server.url, NARROW, plain.server.credentials, digest="SHA1"))

    assert reply.status == recording(176).status
    assert [list(row) for row in reply.json] == [["id"]]


def test_a_nonce_is_good_once(plain: Client) -> None:
    target = signed("GET", plain.server.url, NARROW, plain.server.credentials)

    assert plain.send("GET", target).status == 200
    check(179, plain.send("GET", target))


def test_brackets_without_an_index_break_the_signature(plain: Client) -> None:
    check(464, plain.replay(recording(464)))


def test_brackets_with_an_index_do_not(plain: Client) -> None:
    reply = plain.replay(recording(465))

    assert reply.json == recording(465).body
    assert reply.headers["X-WP-Total"] == recording(465).header("X-WP-Total")


def test_keys_do_only_what_they_are_for(secure: Client) -> None:
    keys = secure.server.credentials
    check(182, secure.replay(recording(182), keys.read_only))
    check(183, secure.replay(recording(183), keys.write_only))
    check(184, secure.replay(recording(184), keys.no_rights))
    check(185, secure.replay(recording(185), keys.no_rights))


def test_rest_route_never_authenticates_unless_the_address_has_the_words(secure: Client, plain: Client) -> None:
    check(4, secure.replay(recording(4)))
    secure.server.mode = plain.server.mode = "plain_permalinks"
    try:
        for number, client in ((418, secure), (420, secure), (419, plain)):
            reply = client.replay(recording(number))
            check(number, reply)
            assert reply.headers["Link"] == at_home(recording(number).header("Link") or "", client.server.url)
    finally:
        secure.server.mode = plain.server.mode = "normal"
