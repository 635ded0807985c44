"""Certificates that are not in order are told apart by what OpenSSL says of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from integration.clock import Clock
from integration.http.transport import Route
from integration.operations.support.diagnostics import Step, store_steps
from integration.sandbox.authority import HOSTS, Authority, serving, signed_itself
from integration.sandbox.store import StoreServer
from integration.store.access import StoreAccess

NOW = datetime.now(UTC)


@contextmanager
def shop(context: ssl.SSLContext) -> Iterator[str]:
    with StoreServer(tls=context) as server:
        yield server.url


def first_step(url: str, ca: str | None = None) -> Step:
    access = StoreAccess(url, "ck_" + "1" * 40, "cs_" + "1" * 40, ca)
    return next(store_steps(access, Route(ca=ca), writes=False, clock=Clock()))


def test_a_certificate_that_signed_itself_is_trusted_once_it_is_pasted() -> None:
    made, key = signed_itself(*HOSTS)
    with shop(serving(made, key)) as url:
        unknown, known = first_step(url), first_step(url, made)
    assert (unknown.state, unknown.code) == ("failed", "self_signed")
    assert "Let's Encrypt" in unknown.hint
    assert "“Own certificate authority” on the Connection tab" in unknown.hint
    assert (known.state, known.code) == ("ok", "")


def test_expired_certificate() -> None:
    authority = Authority()
    with shop(authority.context(ends=NOW - timedelta(days=1))) as url:
        step = first_step(url, authority.pem)
    assert (step.state, step.code) == ("failed", "tls_expired")
    assert "Renew" in step.hint


@pytest.mark.parametrize(
    ("pasted", "state", "code"),
    [("own", "ok", ""), ("another", "failed", "foreign_authority"), ("none", "failed", "tls_chain")],
)
def test_authority_given_by_the_settings(pasted: str, state: str, code: str) -> None:
    authority = Authority()
    ca = {"own": authority.pem, "another": Authority("Another").pem, "none": None}[pasted]
    with shop(authority.context()) as url:
        step = first_step(url, ca)
    assert (step.state, step.code) == (state, code)
    assert not code or "“Own certificate authority” on the Connection tab" in step.hint


@pytest.mark.parametrize(("days", "state", "code"), [(29, "warning", "authority_ends"), (31, "ok", "")])
def test_an_authority_that_ends_soon_is_warned_of(days: int, state: str, code: str) -> None:
    authority = Authority("Shop CA", ends=NOW + timedelta(days=days, minutes=1))
    with shop(authority.context()) as url:
        step = first_step(url, authority.pem)
    assert (step.state, step.code) == (state, code)
    assert ("“Shop CA” is valid until" in step.sentence) == bool(code)


def test_an_authority_that_is_over_is_not_taken_for_the_servers_certificate() -> None:
    authority = Authority("Shop CA", begins=NOW - timedelta(days=9), ends=NOW - timedelta(days=1))
    with shop(authority.context()) as url:
        step = first_step(url, authority.pem)
    assert (step.state, step.code) == ("failed", "authority_ended")
    assert "“Shop CA” is valid from" in step.sentence
