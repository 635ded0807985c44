"""A list that the store refuses: the rest is compared, and nobody whom it would have named is called gone."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import LedgerEntry, Reconciliation
from integration.operations import reconciliation
from integration.pipeline.runs import progress as run_progress
from integration.queries import runs
from tests.operations.reconciliation.conftest import Bench, counts, tick

V3 = "/wp-json/wc/v3"
#: Nothing here is of the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def reconcile(bench: Bench, tries: int = 30) -> Reconciliation:
    """Do one to its end, its pauses as if they were over."""
    services = bench.road.services
    clock = services.clock = SetClock(services.clock.now())
    number = reconciliation.start(services, bench.road.connector_id, "test")
    for _ in range(tries):
        tick(services)
        clock.advance(minutes=30)
        with services.db.read() as session:
            row = session.get_one(Reconciliation, number)
        if row.ended_at:
            break
    return row


def said(bench: Bench, row: Reconciliation) -> str:
    with bench.road.services.db.read() as session:
        return "\n".join(line.text for line in run_progress.lines(session, row.id))


@pytest.mark.parametrize("status", [403, 500])
def test_refused_customers_are_neither_missing_nor_gone(bench: Bench, status: int) -> None:
    bench.delete("bob@example.com")
    bench.delete("guest@example.com")
    bench.road.store.faults.status(status, path=f"{V3}/customers$")
    row = reconcile(bench)
    assert (row.state, row.error_code, counts(row)) == ("COMPLETED", "partly_read", {"missing": 1})
    assert [each.source_kind for each in bench.drift()] == ["order"]
    assert "The store does not give customers" in row.error
    assert "nobody is called gone" in said(bench, row)
    assert "All customers were compared" not in said(bench, row)
    assert (runs.badge(row), bench.road.holds()) == (("Completed in part", "warn"), [])
    bench.road.store.faults.clear()
    row = reconcile(bench)
    assert (row.error, counts(row)) == ("", {"missing": 2})


def test_what_only_a_refused_profile_could_tell_is_not_told(bench: Bench) -> None:
    bench.change("ada@example.com", city="Rome")
    bench.contact("ada@example.com").tags.clear()
    bench.change("guest@example.com", city="Rome")
    bench.road.store.faults.status(403, path=f"{V3}/customers$")
    assert counts(reconcile(bench)) == {"differs": 2}
    details = {frozenset(row.detail) for row in bench.drift()}
    assert frozenset({"city"}) in details, "the guest has no profile"
    (ada,) = (keys for keys in details if keys != {"city"})
    assert all(key.startswith("tag:") for key in ada), "the profile may say Rome by now"


def test_orders_that_are_gone_are_found_without_customers(bench: Bench) -> None:
    with bench.road.services.db.read() as session:
        ids = list(session.scalars(select(LedgerEntry.order_id)))
    for number in ids:
        bench.road.store.shop.delete_force(number)
    bench.road.store.faults.status(403, path=f"{V3}/customers$")
    row = reconcile(bench)
    assert counts(row) == {"differs": 2}, [(each.kind, each.detail) for each in bench.drift()]
    for each in bench.drift():
        assert all(alias.startswith(("mautic_woo_", "tag:")) for alias in each.detail), each.detail


@pytest.mark.parametrize("status", [403, 500])
def test_refused_orders_keep_no_customer_from_being_compared(bench: Bench, status: int) -> None:
    for name in ("ada", "bob", "guest"):
        bench.delete(f"{name}@example.com")
    bench.road.store.faults.status(status, path=f"{V3}/orders$")
    row = reconcile(bench)
    assert (row.state, row.error_code, counts(row)) == ("COMPLETED", "partly_read", {"missing": 1})
    assert bench.drift()[0].detail == {"email": ["bob@example.com", None]}, "who has orders was not compared"
    assert "People who ordered were not compared." in said(bench, row)


def test_customers_that_are_back_in_time_are_compared(bench: Bench) -> None:
    bench.delete("bob@example.com")
    bench.road.store.faults.status(500, path=f"{V3}/customers$")
    services = bench.road.services
    clock = services.clock = SetClock(services.clock.now())
    number = reconciliation.start(services, bench.road.connector_id, "test")
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.ended_at, row.tries) == (None, 1)
    bench.road.store.faults.clear()
    clock.advance(minutes=30)
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.state, row.error, counts(row)) == ("COMPLETED", "", {"missing": 1})


@pytest.mark.parametrize("status", [403, 500])
def test_a_store_that_refuses_both_lists_ends_it(bench: Bench, status: int) -> None:
    bench.road.store.faults.status(status, path=f"{V3}/(customers|orders)$")
    before = len(bench.road.store.calls)
    row = reconcile(bench, tries=60)
    assert (row.state, row.pulled, bench.drift()) == ("FAILED", 0, [])
    assert row.error_code != "partly_read"
    assert len(bench.road.store.calls) - before < 200
