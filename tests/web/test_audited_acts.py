"""An act and its entry in the audit log are one transaction: where the entry cannot be written, nothing was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from integration.models import Base, Role
from integration.operations import reconciliation
from integration.operations.identity import accounts, members, tokens
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.bench_data import fill_log
from tests.web.conftest import PASSWORD, Person, Settle, sign_in
from tests.web.connection_form import typed

Act = Callable[[], Any]
#: The tables that no act of a person writes to: what the entry itself is, and who is alive.
_ASIDE = {"audit_entry", "heartbeat"}
NEW_PASSWORD = "another good password"


@contextmanager
def entries_refused(services: Services) -> Iterator[None]:
    """Lets the database refuse every new entry of the audit log."""
    with services.db.write() as session:
        session.execute(
            text(
                "CREATE TRIGGER refused BEFORE INSERT ON audit_entry"
                " BEGIN SELECT RAISE(ABORT, 'no room for the entry'); END"
            )
        )
    yield
    with services.db.write() as session:
        session.execute(text("DROP TRIGGER refused"))


def rows(services: Services) -> dict[str, list[Any]]:
    """Everything that is stored but the audit log."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in _ASIDE]
    with services.db.read() as session:
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}


def _world(app: Flask, services: Services, number: int, record: Settle) -> dict[str, Act]:
    """What people and machines do, by name; each is prepared and only waits to be done."""
    admin, visitor = sign_in(app, "admin"), Person(app.test_client())
    page = f"/connectors/{number}"
    dead = record(1, "dead", "bob(at)example.com", category="record", error_code="REJECTED")
    fill_log(services.db, number, 5, services.clock.now())
    link = accounts.make_link(services, 1)
    invitation = members.invite(services, 1, "new@example.com", "viewer", Role.ADMIN, "admin@example.com")
    secret = tokens.make(services, 1, "CI", ["runs"], "admin").secret
    # Its use is noted at most once a minute, apart from what is done with it.
    tokens.find(services, secret)
    machine = {"Authorization": f"Bearer {secret}"}
    twice = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
    visitor.token(), admin.token()
    return {
        "start": lambda: admin.post(f"{page}/run", {"kind": "full"}),
        "import": lambda: admin.post(f"{page}/imports/start", {"kind": "initial"}),
        "options": lambda: admin.post(f"{page}/runs/new", {"kind": "full", "only": ["orders"]}),
        "replay": lambda: admin.post(f"{page}/dead-letters/replay", {"id": str(dead)}),
        "order": lambda: admin.post(f"{page}/orders/5/read"),
        "api": lambda: visitor.client.post(f"/api/v1{page}/runs", json={"kind": "full"}, headers=machine),
        "compare": lambda: admin.post(f"{page}/reconciliation/start"),
        "pause": lambda: admin.post(f"{page}/pause"),
        "resume": lambda: admin.post(f"{page}/resume"),
        "debug": lambda: admin.post(f"{page}/connection/debug", {"switch": "on", "duration": "1h"}),
        "settings": lambda: admin.post(
            f"{page}/settings",
            {
                "sync.every": "900",
                "sync.policy": "store",
                "sync.batch_start": "50",
                "sync.batch_max": "100",
                "sync.lanes": "2",
                "sync.proof_every": "0",
                "sync.hourly_limit": "0",
            },
        ),
        "connect": lambda: admin.post(f"{page}/connection", typed(name="Moonflower")),
        "connector": lambda: admin.post("/connectors/new", {"name": "Second shop"}),
        "edit": lambda: admin.post(f"{page}/records/{dead}/edit", {"value:billing.email": "bob@example.com"}),
        "clear": lambda: admin.post(f"{page}/tools/clear", {"scope": "all"}),
        "token": lambda: admin.post("/tokens", {"name": "Grafana", "scopes": "logs"}),
        "invite": lambda: admin.post("/users/invite", {"email": "x@example.com", "role": "viewer"}),
        "link": lambda: admin.post("/users/1/link"),
        "password": lambda: admin.post("/password", {"current": PASSWORD, **twice}),
        "sign in": lambda: visitor.post(f"/sign-in/link/{link}"),
        "accept": lambda: visitor.post(f"/invitation/{invitation}", {"name": "New", **twice}),
    }


#: The names of the acts, which themselves are made within a test.
ACTS = (
    *("start", "import", "options", "replay", "order", "api", "compare", "pause", "resume", "debug", "settings"),
    *("connect", "connector", "edit", "clear", "token", "invite", "link", "password", "sign in", "accept"),
)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_done_with_its_entry_or_not_at_all(
    name: str, app: Flask, services: Services, connector_id: int, record: Settle
) -> None:
    act = _world(app, services, connector_id, record)[name]
    if name == "resume":
        pairs.pause(services, connector_id)
    before = rows(services)
    with entries_refused(services):
        assert act().status_code == 500
    assert rows(services) == before
    assert act().status_code in (200, 202, 302)
    assert rows(services) != before


def test_a_run_is_not_cancelled_without_the_entry(support: Person, services: Services, connector_id: int) -> None:
    run = run_lifecycle.start(services, connector_id, "full", trigger="test")
    other = reconciliation.start(services, connector_id, "test")
    before = rows(services)
    for path in (f"runs/{run}/cancel", "imports/cancel", f"reconciliation/{other}/cancel"):
        with entries_refused(services):
            assert support.post(f"/connectors/{connector_id}/{path}").status_code == 500
    assert rows(services) == before


def test_no_entry_says_that_an_ended_run_was_cancelled(
    support: Person, services: Services, connector_id: int, audit_of: Callable[[str], list[Any]]
) -> None:
    run = run_lifecycle.start(services, connector_id, "full", trigger="test")
    pages = [
        support.post(f"/connectors/{connector_id}/runs/{run}/cancel", follow_redirects=True).text for _ in range(2)
    ]
    assert ["has ended already" in text for text in pages] == [False, True]
    assert [entry.entity for entry in audit_of("SYNC_CANCELLED")] == [f"run {run}"]


def test_pausing_or_resuming_twice_is_said_and_has_one_entry(
    admin: Person, connector_id: int, audit_of: Callable[[str], list[Any]]
) -> None:
    for act, said in (("pause", "is paused already"), ("resume", "is not paused")):
        pages = [admin.post(f"/connectors/{connector_id}/{act}", follow_redirects=True).text for _ in range(2)]
        assert [said in text for text in pages] == [False, True]
    assert [len(audit_of(action)) for action in ("PAUSED", "RESUMED")] == [1, 1]


def test_a_run_that_cannot_go_on_is_said_to_be_so(
    support: Person, services: Services, connector_id: int, audit_of: Callable[[str], list[Any]]
) -> None:
    run = run_lifecycle.start(services, connector_id, "full", trigger="test")
    page = support.post(f"/connectors/{connector_id}/runs/{run}/resume", follow_redirects=True)
    assert "The run is going, or it has ended well. There is nothing to resume." in page.text
    assert audit_of("SYNC_TRIGGERED") == []
