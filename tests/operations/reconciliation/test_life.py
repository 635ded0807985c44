"""A reconciliation lives as any run does: taken by the worker, followed, lost, resumed, and beside what it may be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from integration.clock import SetClock
from integration.engines import schedule
from integration.engines.worker import Worker
from integration.errors import Unreachable
from integration.models import Reconciliation, Run, RunKind, RunState
from integration.models.drift import Reconciled
from integration.operations import reconciliation
from integration.operations.reconciliation import execution, findings
from integration.operations.reconciliation.comparison import Comparison
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle, lost_runs, progress as run_progress, resumption
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.operations.reconciliation.conftest import Bench, tick
from tests.pipeline.conftest import connector_id, services

__all__ = ["connector_id", "services"]


def row_of(services: Services, run_id: int) -> Reconciliation:
    with services.db.read() as session:
        return session.get_one(Reconciliation, run_id)


def told(services: Services, run_id: int) -> list[str]:
    with services.db.read() as session:
        return [line.text for line in run_progress.lines(session, run_id)]


def test_the_worker_takes_it_and_its_figures_add_up(bench: Bench) -> None:
    services = bench.road.services
    bench.delete("bob@example.com")
    bench.change("cyd@example.com", city="Köln")
    shop = bench.road.store.shop
    shop.delete_customer(next(each["id"] for each in shop.customers if each["email"] == "ada@example.com"))
    run_id = reconciliation.start(services, bench.road.connector_id, "me@example.com")
    bench.road.work()
    row = row_of(services, run_id)
    assert (row.state, row.kind, row.trigger) == ("COMPLETED", "reconciliation", "me@example.com")
    assert row.pulled == row.skipped + sum(getattr(row, kind) for kind in findings.KINDS)
    assert (row.missing, row.differs) == (1, 1)
    assert (row.pushed, row.failed) == (0, 0)
    assert row.calls > 0
    assert row.store_calls > 0
    said = told(services, run_id)
    assert any(text.startswith("Looked at ") and "2 differences" in text for text in said)
    assert said[-1] == "Completed."


def test_calls_bear_the_correlation_id_of_the_run(bench: Bench) -> None:
    seen: list[str] = []
    bench.road.services.observers = lambda connector: (
        lambda exchange: seen.append(exchange.request_headers.get("X-Correlation-ID", ""))
    )
    row = bench.reconcile()
    assert row.correlation_id in seen


def test_it_goes_beside_an_import_and_beside_a_replay_but_not_beside_another(
    services: Services, connector_id: int
) -> None:
    ids = [run_lifecycle.start(services, connector_id, kind, trigger="test") for kind in ("full", "replay")]
    ids.append(reconciliation.start(services, connector_id, "test"))
    with pytest.raises(reconciliation.ReconciliationGoing):
        reconciliation.start(services, connector_id, "test")
    for kind, going in (("incremental", ids[0]), ("replay", ids[1])):
        with pytest.raises(run_lifecycle.RunGoing) as refused:
            run_lifecycle.start(services, connector_id, kind, trigger="test")
        assert refused.value.run_id == going
    with services.db.write() as session:
        taken = [run_lifecycle.take(session, NOON, new_token(), connector_id) for _ in range(3)]
        assert [run.id for run in taken if run] == ids


def test_a_process_does_one_at_a_time_and_imports_meanwhile(services: Services, connector_id: int) -> None:
    worker = Worker(services)
    worker._count(connector_id, RunKind.RECONCILIATION, 1)
    reconciliation.start(services, connector_id, "test")
    with services.db.read() as session:
        assert schedule.connectors_with_runs(session, NOON, worker._free_kinds()) == []
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.write() as session:
        taken = run_lifecycle.take(session, NOON, new_token(), kinds=worker._free_kinds())
        assert taken is not None
        assert taken.id == run_id
    worker.stop()


def test_connectors_take_turns(services: Services, clock: SetClock, connector_id: int) -> None:
    other = pairs.create(services, organisation_id=1, name="Other")
    ids = [reconciliation.start(services, each, "test") for each in (connector_id, other)]
    taken = []
    for _ in range(4):
        clock.advance(seconds=1)
        with services.db.write() as session:
            run = run_lifecycle.take(session, clock.now(), token := new_token())
            assert run is not None
            assert run_lifecycle.give_back(session, run, token, due_at=clock.now())
            taken.append(run.id)
    assert taken == [*ids, *ids]


def lose(services: Services, run_id: int) -> None:
    """Take it by a process of another machine, of which nothing is heard for as long as others watch."""
    with services.db.write() as session:
        now = services.clock.now()
        assert run_lifecycle.take(session, now, "elsewhere.1.1.gone") is not None
        session.flush()
        session.execute(update(Run).where(Run.id == run_id).values(leased_until=now - timedelta(seconds=1)))
    schedule.sweep(services)
    assert isinstance(services.clock, SetClock)
    services.clock.advance(seconds=50)


def test_one_whose_process_is_gone_goes_on_by_itself_but_not_for_ever(services: Services, connector_id: int) -> None:
    run_id = reconciliation.start(services, connector_id, "test")
    for times in range(1, lost_runs.LOST_MAX + 1):
        lose(services, run_id)
        schedule.sweep(services)
        row = row_of(services, run_id)
        assert (row.state, row.lease_token, row.tries) == ("RUNNING", None, times)
    assert "Another process goes on with it." in told(services, run_id)[-1]
    lose(services, run_id)
    schedule.sweep(services)
    row = row_of(services, run_id)
    assert (row.state, row.error_code) == ("FAILED", "lease_lost")


def test_one_that_failed_is_resumed_and_compares_nobody_twice(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    services = bench.road.services
    bench.delete("guest@example.com")
    with monkeypatch.context() as broken:
        broken.setattr(execution, "TRIES_MAX", 1)
        compare = Comparison.compare

        def once(self: Comparison, people: list[object], **rest: bool) -> object:
            if any(not person.changes or person.changes[0].kind == "order" for person in people):  # type: ignore[attr-defined]  # a Person
                raise Unreachable("mautic", "no_answer", "Nobody answers.", "Look at it.")
            return compare(self, people, **rest)  # type: ignore[arg-type]  # a list of Person

        broken.setattr(Comparison, "compare", once)
        row = bench.reconcile()
    assert (row.state, row.phase, row.pulled) == ("FAILED", "buyers", 3)
    reconciliation.tick(services)
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Reconciled)), "it may be resumed"
    resumption.resume(services, row.id)
    tick(services)
    done = row_of(services, row.id)
    assert (done.state, done.error, done.pulled, done.missing, done.surplus) == ("COMPLETED", "", 4, 1, 0)


def test_one_that_was_cancelled_or_overtaken_cannot_be_resumed(services: Services, connector_id: int) -> None:
    first = reconciliation.start(services, connector_id, "test")
    reconciliation.cancel(services, connector_id, first)
    with pytest.raises(resumption.CannotResume):
        resumption.resume(services, first)
    second = reconciliation.start(services, connector_id, "test")
    with services.db.write() as session:
        session.add(Reconciled(reconciliation_id=second, person_key="a" * 32))
        run_lifecycle.finish(session, NOON, session.get_one(Run, second), RunState.FAILED)
    assert findings.purge(services) == 0
    assert resumption.may_resume(row_of(services, second))
    reconciliation.start(services, connector_id, "test")
    assert findings.purge(services) == 1
    with pytest.raises(resumption.CannotResume):
        resumption.resume(services, second)
    assert told(services, first)[-1] == "Cancelled. What it found stays."


def test_what_it_waits_for_is_in_its_log_once(services: Services, clock: SetClock, connector_id: int) -> None:
    run_id = reconciliation.start(services, connector_id, "test")
    for _ in range(3):
        assert tick(services) == 1
        assert tick(services) == 0, "it looks again later"
        clock.advance(seconds=execution.LOOK_AGAIN.total_seconds())
    assert told(services, run_id) == ["It waits: store and Mautic must both be connected first."]


def test_it_is_no_sync_for_those_who_ask_for_the_newest_run(services: Services, connector_id: int) -> None:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    number = reconciliation.start(services, connector_id, "test")
    with services.db.read() as session:
        newest = run_progress.latest(session, connector_id)
        compared = run_progress.latest(session, connector_id, "reconciliation")
        assert newest is not None
        assert compared is not None
        assert (newest.id, compared.id) == (run_id, number)
