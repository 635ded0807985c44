"""Whatever ends, ends visibly: an unforeseen error ends a run with its cause, and a record as its own dead letter."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from integration.clock import SetClock
from integration.engines import schedule
from integration.models import Delivery, Run, RunLine
from integration.models.drift import Drift, Reconciliation
from integration.operations import reconciliation
from integration.operations.reconciliation import comparison, repairs, webhook_gaps
from integration.operations.support.diagnostics import store_steps
from integration.pipeline import usage
from integration.pipeline.dead_letters import filters
from integration.pipeline.delivery import batch, planning, refresh
from integration.pipeline.delivery.retries import DELAYS
from integration.pipeline.dry_run import forecast
from integration.pipeline.ingest import order_ledger, records as ingest_records
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.store.access import StoreAccess
from tests.conftest import NOON
from tests.operations.reconciliation.conftest import tick
from tests.road.conftest import Road

TRUE_CAUSE = "stopped over an error in woo-mautic itself: ZeroDivisionError."


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(SetClock(NOON))
    for number in range(3):
        road.order(f"p{number}@example.com")
    return road


def break_down(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, *, secret: str = "") -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError(secret)

    monkeypatch.setattr(where, name, broken)


def lines(road: Road, run: Run) -> list[str]:
    with road.services.db.read() as session:
        return list(session.scalars(select(RunLine.text).where(RunLine.run_id == run.id).order_by(RunLine.id)))


# -- runs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "where", "name"),
    [
        ("initial", order_ledger, "record"),
        ("full", usage, "record"),
        ("incremental", ingest_records, "unseen"),
        ("bulk", ingest_records, "accept"),
        ("replay", filters, "newest_id"),
    ],
)
def test_an_unforeseen_error_ends_a_run_of_any_kind_at_once_with_its_cause(
    road: Road, monkeypatch: pytest.MonkeyPatch, kind: str, where: Any, name: str
) -> None:
    break_down(monkeypatch, where, name)
    run = road.run(kind)
    assert (run.state, run.error_code) == ("FAILED", "internal")
    assert TRUE_CAUSE in run.error
    assert TRUE_CAUSE in lines(road, run)[-1]
    schedule.sweep(road.services)
    monkeypatch.undo()
    assert road.run(kind).state == "COMPLETED"


def test_a_forecast_that_breaks_off_ends_its_run(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    break_down(monkeypatch, forecast, "foretell")
    run = road.run("full", dry_run=True)
    assert (run.state, run.error_code) == ("FAILED", "internal")


def test_the_trace_is_in_the_application_log_and_nothing_of_it_on_the_page(
    road: Road, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_down(monkeypatch, order_ledger, "record", secret="ck_0123456789abcdef of ada@example.com")
    run = road.run("initial")
    [record] = [each for each in caplog.records if each.name.endswith("endings")]
    assert record.exc_info is not None
    assert "ada@example.com" not in run.error + "".join(lines(road, run))


def locked() -> OperationalError:
    return OperationalError("BEGIN IMMEDIATE", {}, sqlite3.OperationalError("database is locked"))


@pytest.mark.parametrize(("where", "name"), [(ingest_records, "accept"), (order_ledger, "record"), (usage, "record")])
def test_a_database_that_is_locked_for_a_while_fails_no_run(
    road: Road, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    real, left = getattr(where, name), [3]

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise locked()
        return real(*args, **kwargs)

    monkeypatch.setattr(where, name, sometimes)
    run = road.run("initial", only=["orders"])
    assert (run.state, run.pulled, left[0] < 0) == ("COMPLETED", 3, True)


def test_a_run_whose_end_cannot_be_written_at_first_ends_all_the_same(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(monkeypatch, order_ledger, "record")
    real, left = run_lifecycle.finish, [2]

    def sometimes(*args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise locked()
        real(*args, **kwargs)

    monkeypatch.setattr(run_lifecycle, "finish", sometimes)
    assert road.run("initial").error_code == "internal"


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "yesterday"])
def test_a_stored_run_with_an_absurd_date_fails_with_a_sentence(road: Road, since: str) -> None:
    run = road.run("bulk", since=since)
    assert (run.state, run.error_code) == ("FAILED", "setting")
    assert f"“{since}” is no time" in run.error


# -- deliveries --------------------------------------------------------------------------------------------------------


def advance(road: Road, seconds: float) -> None:
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(seconds=seconds)


def poison(monkeypatch: pytest.MonkeyPatch, source_id: str) -> list[int]:
    """Let one record break the planning of its batch; return a list that counts how often."""
    real, met = planning.plan_of, [0]

    def planned(item: Any, *args: Any, **kwargs: Any) -> Any:
        if item.source_id == source_id:
            met[0] += 1
            raise ZeroDivisionError("a fault of ours")
        return real(item, *args, **kwargs)

    monkeypatch.setattr(planning, "plan_of", planned)
    return met


def by_source(road: Road) -> dict[str, Delivery]:
    return {delivery.source_id: delivery for delivery in road.deliveries()}


@pytest.mark.parametrize("shared", [False, True], ids=["other people", "the same person"])
def test_a_record_that_breaks_its_batch_ends_alone(road: Road, monkeypatch: pytest.MonkeyPatch, shared: bool) -> None:
    orders = [road.order("ada@example.com" if shared else f"ada{n}@example.com") for n in range(3)]
    met = poison(monkeypatch, str(orders[1]["id"]))
    road.arrive(*orders)
    road.work()
    assert road.states() <= {"ready", "waiting"}
    assert {delivery.attempts for delivery in road.deliveries()} == {1}
    road.work()
    assert met == [1]
    for _ in range(4):
        advance(road, DELAYS[0] * 1.3)
        road.work()
    found = by_source(road)
    dead = found.pop(str(orders[1]["id"]))
    assert (dead.state, dead.error_code, dead.category) == ("dead", "internal", "unknown")
    assert TRUE_CAUSE in dead.error
    assert {delivery.state for delivery in found.values()} == {"delivered"}
    assert met == [2]
    assert any(TRUE_CAUSE in entry.message for entry in road.log() if entry.delivery_id == dead.id)


def test_a_batch_that_a_locked_database_broke_off_is_tried_again(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = refresh.freshen, [1]

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise locked()
        return real(*args, **kwargs)

    monkeypatch.setattr(batch, "freshen", sometimes)
    road.arrive(*(road.order(f"ada{n}@example.com") for n in range(3)))
    road.work()
    assert {(delivery.attempts, delivery.faults) for delivery in road.deliveries()} == {(1, 0)}
    advance(road, DELAYS[0] * 1.3)
    road.work()
    assert road.states() == {"delivered"}


# -- other jobs --------------------------------------------------------------------------------------------------------


def test_a_reconciliation_that_breaks_off_ends_with_the_cause(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.run("initial")
    break_down(monkeypatch, comparison.Comparison, "compare")
    reconciliation.start(road.services, road.connector_id, "test")
    for _ in range(3):
        tick(road.services)
    with road.services.db.read() as session:
        [row] = reconciliation.latest(session, road.connector_id)
    assert row.state == "FAILED"
    assert TRUE_CAUSE in row.error


def test_a_repair_that_breaks_off_is_said_at_its_rows_and_keeps_no_other_job_waiting(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    road.run("initial")
    now = road.services.clock.now()
    with road.services.db.write() as session:
        done = Reconciliation(
            connector_id=road.connector_id,
            trigger="test",
            state="COMPLETED",
            cursor={},
            created_at=now,
            ended_at=now,
        )
        session.add(done)
        session.flush()
        row = Drift(
            reconciliation_id=done.id, connector_id=road.connector_id, kind="missing", person_key="x", found_at=now
        )
        row.detail, row.sentence, row.asked_at = {}, "Missing.", now
        session.add(row)
    break_down(monkeypatch, repairs, "Gathering")
    reconciliation.start(road.services, road.connector_id, "test")
    assert tick(road.services) == 1
    with road.services.db.read() as session:
        [row] = session.scalars(select(Drift).where(Drift.person_key == "x"))
    assert (row.asked_at, row.repaired_at) == (None, None)
    assert TRUE_CAUSE in row.sentence


def test_a_look_at_webhooks_that_breaks_off_keeps_no_other_waiting(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_gaps, "_watched", lambda *args: True)
    break_down(monkeypatch, webhook_gaps, "check")
    assert webhook_gaps.tick(road.services) == 1


@pytest.mark.parametrize("url", ["http://[::1", "https://shop.example:99999", "https://\udcff"])
def test_an_address_that_breaks_a_step_is_one_red_step(road: Road, url: str) -> None:
    steps = list(store_steps(StoreAccess(url, "ck_1", "cs_1"), writes=False, clock=road.services.clock))
    assert [step.state for step in steps] == ["failed", *["skipped"] * 4]
    assert steps[0].sentence.endswith(".")


def test_a_check_that_breaks_off_is_one_red_step(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    break_down(monkeypatch, StoreAccess, "api")
    access = StoreAccess(road.store.url, "ck_1", "cs_1")
    steps = list(store_steps(access, writes=False, clock=road.services.clock))
    assert "failed" in {step.state for step in steps}
    failed = next(step for step in steps if step.state == "failed")
    assert failed.sentence.endswith(".")
