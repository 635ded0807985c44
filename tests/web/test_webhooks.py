"""The webhooks on the Connection tab: registered, judged, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from integration.models import Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from integration.web.connection.webhooks import judge
from tests.web.conftest import Person, text_of

Read = Callable[[], Connector]


@dataclass
class Health:
    state: str
    topic: str = "order.updated"
    id: int | None = 1


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        (["active", "active"], "ok"),
        (["active", "missing"], "warn"),
        (["active", "paused"], "warn"),
        (["active", "disabled", "missing"], "bad"),
        (["missing", "missing"], "muted"),
        ([], "muted"),
    ],
)
def test_the_worst_state_decides(states: list[str], kind: str) -> None:
    verdict = judge([Health(state) for state in states])  # type: ignore[misc]  # the same three attributes
    assert verdict.kind == kind
    assert verdict.sentence.endswith(".")


@pytest.fixture
def store(services: Services, connector_id: int) -> Iterator[StoreServer]:
    with StoreServer() as server:
        pairs.connect(
            services, connector_id, store_url=server.url, store_key="ck_" + "1" * 40, store_secret="cs_" + "1" * 40
        )
        yield server


def test_one_click_registers_and_one_removes(
    admin: Person, store: StoreServer, connector_id: int, connector: Read, audit_of: Callable
) -> None:
    base = f"/connectors/{connector_id}/webhooks"
    assert "The webhooks are registered." in text_of(admin.post(f"{base}/register", follow_redirects=True))
    assert len(connector().webhook_ids) >= 6
    assert "All webhooks are active." in text_of(admin.get(f"{base}/status"))
    asked = admin.get(f"{base}/remove")
    assert "only by the next read, every 5 minutes" in text_of(asked)
    assert "The webhooks are removed." in text_of(admin.post(f"{base}/remove", follow_redirects=True))
    assert connector().webhook_ids == {}
    assert [entry.entity for entry in audit_of("WEBHOOKS_CHANGED")] == ["webhooks registered", "webhooks removed"]


def test_the_secret_is_nowhere_on_the_page(
    admin: Person, store: StoreServer, connector_id: int, connector: Read, services: Services
) -> None:
    admin.post(f"/connectors/{connector_id}/webhooks/register")
    secret = services.secrets(connector())["webhook_secret"]
    assert secret not in admin.get(f"/connectors/{connector_id}/connection").text


def test_the_health_line_is_a_fragment_inside_the_page(support: Person, store: StoreServer, connector_id: int) -> None:
    path = f"/connectors/{connector_id}/webhooks/status"
    assert "<html" not in support.get(path, headers={"HX-Request": "true"}).text
    assert "<html" in support.get(path).text


def test_a_store_that_does_not_answer_is_said(admin: Person, connector_id: int) -> None:
    base = f"/connectors/{connector_id}/webhooks"
    words = text_of(admin.post(f"{base}/register", follow_redirects=True))
    assert "The webhooks were not registered." in words
    assert "refused the connection" in words
    assert "refused the connection" in text_of(admin.get(f"{base}/status"))
