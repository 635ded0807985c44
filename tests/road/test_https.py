"""Both ends over https, signed by an authority of their own: connection test and sync, and what each fault says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.clock import Clock
from integration.http.transport import Route
from integration.mapping.fields import needs
from integration.mautic.access import MemoryTokens
from integration.models import Connector
from integration.operations.support.diagnostics import Step, mautic_steps, store_steps
from integration.pipeline.connectors import connectors, webhook_registration
from integration.sandbox.authority import Authority
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.store.access import StoreAccess
from tests.road.conftest import Road

SHOP, CRM = Authority("Shop CA"), Authority("Mautic CA")
OVER = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database does: certificates are none of its business."""
    return f"sqlite:///{tmp_path / 'road.sqlite'}"


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer(tls=SHOP.context()) as server:
        yield server


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer(ssl_context=CRM.context()) as server:
        yield server


def steps_of(road: Road) -> list[Step]:
    """The steps of both sides with what is saved."""
    services = road.services
    with services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    store, mautic = services.store_access(connector), services.mautic_access(connector)
    modules, route = services.modules(connector), services.route
    found = list(store_steps(store, route(connector, store.ca), writes=True, clock=services.clock))
    wanted = needs(modules)
    return found + list(mautic_steps(mautic, MemoryTokens(), wanted, services.clock, route(connector, mautic.ca)))


def test_with_both_authorities_pasted_all_of_it_works(make_road: Callable[..., Road]) -> None:
    road = make_road(sync__webhooks="yes")
    connectors.connect(road.services, road.connector_id, store_ca=SHOP.pem, mautic_ca=CRM.pem)
    assert not [step for step in steps_of(road) if step.state in ("failed", "skipped")]
    webhook_registration.register(road.services, road.connector_id)
    road.order("ada@example.com")
    assert road.run().state == "COMPLETED"
    assert [contact.values.get("email") for contact in road.mautic.state.contacts.values()] == ["ada@example.com"]
    assert road.holds() == []


def test_with_the_wrong_one_a_run_ends_and_says_where_to_paste(make_road: Callable[..., Road]) -> None:
    road = make_road()
    connectors.connect(road.services, road.connector_id, store_ca=CRM.pem, mautic_ca=SHOP.pem)
    failed = [step for step in steps_of(road) if step.state == "failed"]
    assert [(step.number, step.code) for step in failed] == [(1, "foreign_authority")] * 2
    assert all("under “Own certificate authority” on the Connection tab" in step.hint for step in failed)
    road.arrive(road.order("ada@example.com"))
    road.work()
    assert road.holds() == ["foreign_authority"]
    assert not road.mautic.state.contacts


@pytest.mark.parametrize(
    ("hosts", "ends", "code"),
    [(("127.0.0.1",), OVER, "tls_expired"), (("shop.example",), None, "tls_name")],
    ids=["expired", "other name"],
)
def test_a_known_authority_excuses_no_bad_certificate(hosts: tuple[str, ...], ends: datetime | None, code: str) -> None:
    with StoreServer(tls=SHOP.context(*hosts, ends=ends)) as server:
        access = StoreAccess(server.url, "ck_x", "cs_x", SHOP.pem)
        step = next(store_steps(access, Route(ca=SHOP.pem), writes=False, clock=Clock()))
    assert (step.state, step.code) == ("failed", code)
