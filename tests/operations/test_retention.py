"""How long records, runs, reconciliations, the audit and heartbeats are kept, by each organisation's wish."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from integration.errors import SettingError
from integration.models import (
    Attempt,
    AuditEntry,
    Delivery,
    Drift,
    Heartbeat,
    Organisation,
    Reconciliation,
    RecordCount,
    Run,
    RunLine,
)
from integration.operations import retention
from integration.operations.retention import Keep
from integration.pipeline.outbox.tally import Tally
from tests.operations.conftest import NOW, Scene
from tests.operations.pruning import entry, log, prune
from tests.statements import caught, plan


def delivery(number: int, state: str, settled_at: datetime | None, run_id: int | None = None) -> Delivery:
    return Delivery(
        connector_id=1,
        run_id=run_id,
        kind="order",
        source_id=str(number),
        event="completed",
        identity=str(number),
        person_key=str(number),
        origin="poll",
        state=state,
        due_at=NOW,
        payload_at=NOW,
        created_at=NOW,
        settled_at=settled_at,
    )


def test_settled_deliveries_go_and_dead_letters_and_open_ones_never(scene: Scene) -> None:
    old, young = NOW - timedelta(days=400), NOW - timedelta(days=89)
    settled = ["delivered", "skipped", "conflict", "discarded"]
    with scene.db.write() as session:
        session.add_all(delivery(n, state, old) for n, state in enumerate([*settled, "dead", "ready", "leased"]))
        session.add_all(delivery(n + 20, state, young) for n, state in enumerate(settled))
        session.add(delivery(40, "waiting", None))
    assert prune(scene, batch=3)["deliveries"] == 4
    with scene.db.read() as session:
        states = Counter(session.scalars(select(Delivery.state)))
    assert states == Counter([*settled, "dead", "ready", "leased", "waiting"])


@pytest.mark.parametrize(
    ("table", "index"), [("delivery", "ix_delivery_settled"), ("sync_log", "ix_sync_log_at")], ids=["records", "log"]
)
def test_what_is_old_is_found_by_its_age_and_what_stays_is_passed_once(scene: Scene, table: str, index: str) -> None:
    old = NOW - timedelta(days=800)
    with scene.db.write() as session:
        session.add_all([delivery(number, "dead", old - timedelta(hours=number)) for number in range(1, 6)])
        session.add_all([delivery(number, "delivered", old + timedelta(hours=number)) for number in range(6, 15)])
    log(
        scene,
        [entry(1, timedelta(days=170 + hours), kind, "order") for kind in ("error", "success") for hours in range(9)],
    )
    with caught(scene.db.engine) as statements:
        assert prune(scene, batch=4)["deliveries"] == 9
    first, *others = [each for each in statements if each.text.startswith(f"DELETE FROM {table} ")]
    begun = [each for each in others if each.text.count(">=")]
    assert ">=" not in first.text
    assert len(begun) == 2
    with scene.db.engine.connect() as connection:
        if not scene.db.sqlite:
            # Of a small table PostgreSQL reads and sorts all; here it does so only where no index can be used.
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET enable_sort = off")
        for each in (first, *begun):
            lines = plan(connection, each)
            assert any(index in line for line in lines), lines
            assert not any("TEMP B-TREE" in line or "Sort" in line for line in lines), lines


def run(number: int, state: str, ended_at: datetime | None) -> Run:
    return Run(
        id=number,
        connector_id=1,
        kind="full",
        state=state,
        correlation_id=str(number),
        created_at=NOW - timedelta(days=200),
        ended_at=ended_at,
    )


def test_ended_runs_go_with_their_lines_unless_work_of_theirs_is_open(scene: Scene) -> None:
    old = NOW - timedelta(days=91)
    with scene.db.write() as session:
        session.add_all([run(1, "COMPLETED", old), run(2, "FAILED", old), run(3, "RUNNING", None)])
        session.add_all([run(4, "CANCELLED", NOW - timedelta(days=89)), run(5, "COMPLETED", old)])
        session.flush()
        session.add_all(RunLine(run_id=n % 5 + 1, at=NOW, level="info", text="x") for n in range(50))
        session.add(delivery(1, "waiting", None, run_id=5))
    assert prune(scene, batch=4)["runs"] == 2
    with scene.db.read() as session:
        assert sorted(session.scalars(select(Run.id))) == [3, 4, 5]
        assert Counter(session.scalars(select(RunLine.run_id))) == {3: 10, 4: 10, 5: 10}


def test_old_reconciliations_go_with_what_they_found(scene: Scene) -> None:
    with scene.db.write() as session:
        for days in (91, 89):
            at = NOW - timedelta(days=days)
            row = Reconciliation(connector_id=1, trigger="nightly", state="COMPLETED", created_at=at, ended_at=at)
            session.add(row)
            session.flush()
            session.add_all(
                Drift(reconciliation_id=row.id, connector_id=1, kind="missing", person_key=f"{n}", found_at=at)
                for n in range(10)
            )
    assert prune(scene, batch=4)["runs"] == 1
    with scene.db.read() as session:
        assert session.scalars(select(Reconciliation.id)).all() == [2]
        assert set(session.scalars(select(Drift.reconciliation_id))) == {2}


def test_audit_is_kept_for_two_years_and_silent_processes_for_a_day(scene: Scene) -> None:
    with scene.db.write() as session:
        for days in (731, 729):
            session.add(AuditEntry(organisation_id=1, at=NOW - timedelta(days=days), actor=str(days), action="UPDATED"))
        for hours in (23, 25):
            session.add(Heartbeat(name=str(hours), role="worker", beat_at=NOW - timedelta(hours=hours)))
    gone = prune(scene)
    assert (gone["audit"], gone["heartbeats"]) == (1, 1)
    with scene.db.read() as session:
        assert list(session.scalars(select(AuditEntry.actor))) == ["729"]
        assert list(session.scalars(select(Heartbeat.name))) == ["23"]


def delivered(scene: Scene, connector_id: int, age: timedelta, number: int) -> None:
    """Write records of one state with their counts, as the outbox would."""
    rows = [
        Delivery(
            connector_id=connector_id,
            kind="order",
            source_id=str(n),
            event="completed",
            identity=f"{age}:{n}",
            person_key=f"{age}:{n}",
            origin="webhook",
            state="delivered",
            result="created",
            due_at=NOW - age,
            payload_at=NOW - age,
            created_at=NOW - age,
            settled_at=NOW - age,
        )
        for n in range(number)
    ]
    tally = Tally(connector_id)
    tally.settled(NOW - age, "order", "delivered", "created", number)
    with scene.db.write() as session:
        session.add_all(rows)
        tally.write(session)


def counted(scene: Scene) -> dict[tuple[int, str], int]:
    with scene.db.read() as session:
        return {(row.connector_id, row.state): row.records for row in session.scalars(select(RecordCount))}


def test_the_counts_of_records_go_with_the_records(scene: Scene) -> None:
    delivered(scene, 1, timedelta(days=91), 20)
    delivered(scene, 1, timedelta(days=2), 3)
    assert prune(scene)["deliveries"] == 20
    assert counted(scene) == {(1, "delivered"): 3}


def test_attempts_go_with_their_record(scene: Scene) -> None:
    delivered(scene, 1, timedelta(days=91), 2)
    with scene.db.write() as session:
        for key in session.scalars(select(Delivery.id)).all():
            session.add(Attempt(connector_id=1, delivery_id=key, at=NOW, seconds=0.1, outcome="delivered"))
    prune(scene)
    with scene.db.read() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_each_organisation_keeps_as_long_as_it_wants(scene: Scene) -> None:
    with scene.db.write() as session:
        organisation = session.get_one(Organisation, 1)
        diff = retention.save(session, organisation, Keep.of(organisation).with_values({"deliveries": "1"}))
    assert diff == {"deliveries": [90, 1]}
    delivered(scene, 1, timedelta(days=2), 3)
    assert prune(scene)["deliveries"] == 3


@pytest.mark.parametrize("text", ["", "0", "-1", "ninety", "99999", "1.5"])
def test_a_number_of_days_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(SettingError) as refused:
        Keep().with_values({"audit": text})
    assert refused.value.name == "audit"
