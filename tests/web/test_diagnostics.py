"""The page Diagnostics: both tests, the mapping of a record, the bundle, the list of what is recognised."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from integration.models import SyncLogEntry
from integration.operations.support.diagnostics import catalogue, delivery
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.bench.world import whereabouts
from tests.web.conftest import SECRETS, Person, sign_in, text_of


@pytest.fixture
def path(connector_id: int) -> str:
    return f"/connectors/{connector_id}/diagnostics"


@pytest.fixture
def store(services: Services, connector_id: int) -> Iterator[StoreServer]:
    """A shop with one order and a Mautic, both connected."""
    with StoreServer() as store, MauticServer() as mautic:
        pairs.connect(services, connector_id, **whereabouts(store, mautic))
        billing = {"first_name": "Ada", "email": "ada@example.com", "country": "XX", "city": "<i>Rome</i>"}
        store.shop.place_order(status="completed", billing=billing)
        yield store


def states(page: str) -> list[str]:
    return re.findall(r'<li class="step step-(\w+)"', page)


def test_the_page_asks_nobody_until_it_is_told_to(support: Person, path: str, store: StoreServer) -> None:
    before = store.calls.total
    page = support.get(path)
    assert page.status_code == 200
    assert store.calls.total == before
    assert 'href="/connectors/1/diagnostics"' in page.text


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("support", 200), ("admin", 200), ("super", 200)])
def test_who_may_see_it(app: Flask, path: str, role: str, status: int) -> None:
    person = sign_in(app, role)
    assert person.get(path).status_code == status
    assert person.get(f"{path}/bundle.json").status_code == status
    assert ('href="/connectors/1/diagnostics"' in person.get("/connectors/1/").text) is (status == 200)


def test_strangers_find_nothing(stranger: Person, path: str) -> None:
    assert [stranger.get(path + end).status_code for end in ("", "/bundle.json")] == [404, 404]
    assert [stranger.post(path + end).status_code for end in ("/test", "/mapping")] == [404, 404]


def test_both_tests_without_scripts(support: Person, path: str, store: StoreServer) -> None:
    answer = support.post(f"{path}/test")
    assert len(states(answer.text)) == 10
    assert "Both connections work" in text_of(answer)


def test_live_it_comes_one_line_a_step(support: Person, path: str, store: StoreServer) -> None:
    lines = support.post(f"{path}/test", headers={"X-Live": "1"}).text.splitlines()
    assert len(lines) == 12
    assert 'data-into="verdict"' in lines[-1]


def test_a_failing_test_says_what_to_do(support: Person, path: str) -> None:
    answer = support.post(f"{path}/test")
    assert states(answer.text) == (["failed"] + ["skipped"] * 4) * 2
    assert "What to do:" in text_of(answer)


def test_the_mapping_is_shown_field_by_field(
    support: Person, path: str, store: StoreServer, services: Services
) -> None:
    answer = support.post(f"{path}/mapping")
    said = text_of(answer)
    assert f"Order {next(iter(store.state.orders)).id}" in said
    for state in ("PRESENT", "MISSING", "INVALID", "UNKNOWN IN MAUTIC"):
        assert state in said
    assert "Mautic's list has no country for “XX”" in said
    assert "&lt;i&gt;Rome" in answer.text and "<i>Rome" not in answer.text
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(SyncLogEntry)) == 0


def test_an_id_can_be_given(support: Person, path: str, store: StoreServer) -> None:
    second = store.shop.place_order(status="completed", billing={"email": "bo@example.com"})
    store.shop.place_order(status="completed", billing={"email": "cy@example.com"})
    said = text_of(support.post(f"{path}/mapping", {"order": f"#{second['id']}"}))
    assert f"Order {second['id']}" in said and "bo@example.com" in said


@pytest.mark.parametrize("typed", ["x", "-1", "1.5", "<b>", "9" * 40, "²"])
def test_an_id_that_is_none_gives_the_page_with_a_notice(
    support: Person, path: str, store: StoreServer, typed: str
) -> None:
    answer = support.post(f"{path}/mapping", {"order": typed})
    assert answer.status_code == 200
    assert "is no id of orders, so the newest one was tried." in text_of(answer)


def test_an_id_that_the_store_does_not_have_is_said(support: Person, path: str, store: StoreServer) -> None:
    assert "The store has no order 999." in text_of(support.post(f"{path}/mapping", {"order": "999"}))


def test_a_store_that_does_not_answer_is_said_with_what_to_do(support: Person, path: str) -> None:
    answer = support.post(f"{path}/mapping")
    assert answer.status_code == 200
    assert "refuses the connection" in text_of(answer)


def test_with_both_modules_off_there_is_nothing_to_map(
    support: Person, path: str, services: Services, connector_id: int
) -> None:
    pairs.configure(services, connector_id, {"contacts.enabled": False, "orders.enabled": False})
    assert "there is nothing to map" in text_of(support.get(path))
    assert support.post(f"{path}/mapping").status_code == 200


def test_the_bundle_is_a_file_without_secrets(
    support: Person, path: str, services: Services, connector_id: int
) -> None:
    answer = support.get(f"{path}/bundle.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="support-bundle-1-20261120-1200.json"'
    assert json.loads(answer.text)["connector"]["id"] == connector_id
    for secret in SECRETS.values():
        assert secret not in answer.text
    assert "bytes" not in json.loads(answer.text)["sizes"]


def test_only_super_admins_get_what_belongs_to_the_installation(super_admin: Person, path: str) -> None:
    assert "bytes" in json.loads(super_admin.get(f"{path}/bundle.json").text)["sizes"]


def test_what_is_recognised_is_listed(support: Person, path: str) -> None:
    said = text_of(support.get(path))
    for known in catalogue.EVERY.values():
        assert known.sign in said
        assert known.advice.endswith(".") and known.advice in said


def test_an_address_where_webhooks_cannot_arrive_is_told(support: Person, path: str) -> None:
    assert "where WordPress sends nothing" in text_of(support.get(path))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://sync.example.com/hooks/x", ""),
        ("https://sync.example.com:8080/hooks/x", ""),
        ("http://sync.example.com/hooks/x", "delivery_redirected"),
        ("https://sync.example.com:8443/hooks/x", "delivery_port"),
        ("https://192.168.1.5/hooks/x", "delivery_private"),
        ("https://localhost/hooks/x", "delivery_private"),
        ("https://[::1]/hooks/x", "delivery_private"),
        ("https://nas.local/hooks/x", "delivery_private"),
    ],
)
def test_where_wordpress_delivers(url: str, code: str) -> None:
    told = delivery.check(url)
    assert (told[0] if told else "") == code
    assert told is None or all(text.endswith(".") for text in told[1:])
