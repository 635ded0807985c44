"""The guided set-up from two addresses to the import: it goes on where it stands, each role sees its part."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from integration.models import Connector, Run
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person, both_have_answered, sign_in, text_of
from tests.web.setup.conftest import client_of, key_of, states


def test_from_two_addresses_to_the_import(
    admin: Person, number: int, store: StoreServer, mautic: MauticServer, services: Services
) -> None:
    page = f"/connectors/{number}/setup"
    assert admin.post(f"{page}/store", key_of(store)).location == f"{page}#mautic"
    assert admin.post(f"{page}/mautic", client_of(mautic)).location == f"{page}#fields"
    shown = admin.get(page)
    assert "Mautic lets us in." in text_of(shown) and "without them those values are lost" not in text_of(shown)
    assert re.search(r"\d+ fields will be created: .*Woo total spent", text_of(shown))
    assert states(shown.text) == ["Done", "Done", "Done", "Now", "Later", "Later"]
    assert admin.post(f"{page}/fields").location == f"{page}#preview"
    shown = admin.get(page)
    assert f'data-live="/connectors/{number}/preview/orders"' in shown.text
    part = admin.get(f"/connectors/{number}/preview/orders", headers={"HX-Request": "true"})
    assert "Calls to Mautic" in text_of(part) and "<html" not in part.text
    answer = admin.post(f"/connectors/{number}/imports/start", {"page": "setup", "kind": "initial"})
    assert answer.location == f"{page}#import"
    assert states(admin.get(page).text) == ["Done", "Done", "Done", "Done", "Done", "Now"]


def test_an_import_that_was_cancelled_is_started_again(admin: Person, connector_id: int, services: Services) -> None:
    both_have_answered(services, connector_id)
    pairs.configure(services, connector_id, {"orders.enabled": False})
    with services.db.write() as session:
        session.get_one(Connector, connector_id).fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
    start = {"page": "setup", "kind": "initial"}
    admin.post(f"/connectors/{connector_id}/imports/start", start)
    admin.post(f"/connectors/{connector_id}/imports/cancel", {"page": "setup"})
    page = admin.get(f"/connectors/{connector_id}/setup")
    assert states(page.text)[-2:] == ["Now", "Later"]
    assert "Start the first import" in text_of(page) and "Resume" in text_of(page)


def test_the_first_contact_is_shown_with_its_page_in_mautic(
    viewer: Person, connector_id: int, services: Services
) -> None:
    now = services.clock.now()
    entries = [
        sync_log_writing.Entry(connector_id, now, "order", "7", "create_or_update", status="error"),
        sync_log_writing.Entry(connector_id, now, "customer", "12", "create_or_update", contact_id=345, person_key="p"),
        sync_log_writing.Entry(connector_id, now, "customer", "13", "create_or_update", contact_id=346),
    ]
    with services.db.write() as session:
        sync_log_writing.record(session, entries)
    page = viewer.get(f"/connectors/{connector_id}/setup")
    assert "Customer 12 is contact 345 in Mautic" in text_of(page)
    assert 'href="https://127.0.0.1:9/s/contacts/view/345"' in page.text
    part = viewer.get(f"/connectors/{connector_id}/setup", headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<li class="card step') and "contact 345" in part


@pytest.mark.parametrize(("role", "forms", "starts"), [("viewer", 0, False), ("support", 0, True), ("admin", 3, True)])
def test_each_role_sees_what_it_may_do(
    app: Flask, connector_id: int, services: Services, role: str, forms: int, starts: bool
) -> None:
    both_have_answered(services, connector_id)
    pairs.configure(services, connector_id, {"orders.enabled": False})
    with services.db.write() as session:
        session.get_one(Connector, connector_id).fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
    page = sign_in(app, role).get(f"/connectors/{connector_id}/setup").text
    assert page.count('class="connection"') == forms
    assert ("Start the first import" in page) is starts


def test_a_demo_that_is_connected_shows_all_as_done(
    admin: Person, connector_id: int, services: Services, runs: Any
) -> None:
    both_have_answered(services, connector_id)
    pairs.configure(services, connector_id, {"orders.enabled": False})
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.is_demo, row.initial_done_at = True, services.clock.now()
        row.fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
    page = admin.get(f"/connectors/{connector_id}/setup")
    assert states(page.text) == ["Done"] * 6
    assert "From now on all goes by itself." in text_of(page)
    assert runs() == []


@pytest.fixture
def runs(services: Services) -> Callable[[], list[Run]]:
    def read() -> list[Run]:
        with services.db.read() as session:
            return list(session.scalars(select(Run)))

    return read
