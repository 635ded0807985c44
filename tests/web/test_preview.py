"""The preview pages and the start of a backfill."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from integration.models import Connector, Run
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person, text_of


@pytest.fixture
def store(services: Services, connector_id: int) -> Iterator[StoreServer]:
    with StoreServer() as server:
        pairs.connect(
            services,
            connector_id,
            store_url=server.url,
            store_key="ck_" + "1" * 40,
            store_secret="cs_" + "1" * 40,
        )
        with services.db.write() as session:
            session.get_one(Connector, connector_id).fields_at = services.clock.now()
        yield server


def runs(services: Services) -> list[Run]:
    with services.db.read() as session:
        return list(session.scalars(select(Run)))


def test_support_looks_and_starts_a_backfill_between_two_moments(
    support: Person, viewer: Person, store: StoreServer, services: Services, connector_id: int, audit_of: Callable
) -> None:
    order = store.shop.place_order(status="completed", billing={"email": "ada@example.com"})
    page = f"/connectors/{connector_id}/preview/orders"
    assert viewer.get(page).status_code == 403
    shown = text_of(support.get(page))
    assert f"Order {order['id']}" in shown and "ada@example.com" in shown and "Start the backfill" in shown
    assert runs(services) == []
    far = text_of(support.get(f"{page}?since=2198-01-01T00:00"))
    assert "The store has no such records." in far and "ada@example.com" not in far
    answer = support.post(page, {"since": "2026-01-01T00:00", "until": "2026-06-01T00:00"})
    [run] = runs(services)
    assert answer.location.endswith(f"/runs/{run.id}")
    assert (run.kind, run.options["only"]) == ("bulk", ["orders"])
    assert [run.options[name][:10] for name in ("since", "until")] == ["2026-01-01", "2026-06-01"]
    assert [entry.entity for entry in audit_of("SYNC_TRIGGERED")] == [f"run {run.id}"]
    assert viewer.post(page).status_code == 403


@pytest.mark.parametrize(
    ("since", "until"), [("soon", ""), ("", "never"), ("2026-06-01T00:00", "2026-01-01T00:00"), ("0001-01-01", "")]
)
def test_a_moment_that_cannot_be_read_never_means_all(
    support: Person, services: Services, connector_id: int, since: str, until: str
) -> None:
    page = f"/connectors/{connector_id}/preview/orders"
    asked = support.get(page, query_string={"since": since, "until": until})
    assert (asked.status_code, "Start the backfill" in asked.text) == (400, False)
    answer = support.post(page, {"since": since, "until": until}, follow_redirects=True)
    assert "The backfill was not started" in text_of(answer)
    assert runs(services) == []


def test_customers_are_previewed_and_what_the_store_refuses_is_said(
    support: Person, store: StoreServer, connector_id: int
) -> None:
    page = f"/connectors/{connector_id}/preview/contacts"
    assert "All of it" in text_of(support.get(page))
    store.faults.command({"kind": "status", "value": 401, "path": "/wp-json/wc/v3/customers$"})
    assert "The preview could not be made." in text_of(support.get(page))
    assert support.get(f"/connectors/{connector_id}/preview/other").status_code == 404
