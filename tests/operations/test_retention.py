from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from integration.errors import SettingError
from integration.models import (
    Attempt,
    AuditEntry,
    Connector,
    Delivery,
    Drift,
    Heartbeat,
    Organisation,
    Reconciliation,
    RecordCount,
    Run,
    RunLine,
    SyncLogCount,
    SyncLogEntry,
)
from integration.models.sql import hour_of
from integration.operations import retention
from integration.operations.retention import Keep
from integration.pipeline.outbox.tally import Tally
from tests.operations.conftest import NOW, Scene
from tests.statements import caught, plan


def prune(scene: Scene, batch: int = 7, pauses: list[int] | None = None) -> dict[str, int]:
    tick = (lambda: pauses.append(1)) if pauses is not None else (lambda: None)
    return retention.prune(scene, NOW, batch=batch, pause=tick)


def entry(connector_id: int, age: timedelta, status: str = "success", kind: str = "order") -> SyncLogEntry:
    return SyncLogEntry(
        connector_id=connector_id, at=NOW - age, type=kind, object_id="1", action="create_or_update", status=status
    )


def log(scene: Scene, entries: list[SyncLogEntry]) -> None:
    counts = Counter((e.connector_id, hour_of(e.at), e.type, e.action, e.status) for e in entries)
    with scene.db.write() as session:
        session.add_all(entries)
        for (connector_id, hour, kind, action, status), number in counts.items():
            session.add(
                SyncLogCount(
                    connector_id=connector_id, hour=hour, type=kind, action=action, status=status, entries=number
                )
            )


def rows_and_counts(scene: Scene) -> tuple[Counter[Any], Counter[Any]]:
    with scene.db.read() as session:
        rows = Counter(
            (e.connector_id, hour_of(e.at), e.type, e.action, e.status)
            for e in session.scalars(
                select(SyncLogEntry)
                .join(Connector, Connector.id == SyncLogEntry.connector_id)
                .where(SyncLogEntry.id > Connector.log_cleared_id)
            )
        )
        counts = {
            (c.connector_id, c.hour, c.type, c.action, c.status): c.entries
            for c in session.scalars(select(SyncLogCount))
        }
    return rows, Counter(counts)


def many(age: timedelta, number: int = 20, **values: Any) -> list[SyncLogEntry]:
    return [entry(1 + n % 2, age + timedelta(minutes=13 * n), **values) for n in range(number)]


def test_success_goes_after_90_days_and_errors_after_180(scene: Scene) -> None:
    day = timedelta(days=1)
    log(scene, many(91 * day) + many(89 * day, status="error") + many(181 * day, status="error") + many(day))
    log(scene, many(80 * day, 5, kind="contact") + many(91 * day + timedelta(hours=20), 5, status="error"))
    gone = prune(scene)
    assert (gone["success"], gone["errors"], gone["cleared"]) == (20, 20, 0)
    rows, counts = rows_and_counts(scene)
    assert rows == counts
    assert sum(counts.values()) == 20 + 20 + 5 + 5


def test_an_hour_that_goes_by_parts_keeps_the_count_of_the_rest(scene: Scene) -> None:
    edge = timedelta(days=90)
    log(
        scene,
        [entry(1, edge + timedelta(minutes=5))] * 0 + [entry(1, edge + timedelta(minutes=m)) for m in (-20, 5, 10)],
    )
    assert prune(scene)["success"] == 2
    rows, counts = rows_and_counts(scene)
    assert rows == counts
    assert list(counts.values()) == [1]


def test_cleared_entries_go_first_and_are_not_counted_down_again(scene: Scene) -> None:
    log(
        scene, [entry(1, timedelta(minutes=n)) for n in range(15)] + [entry(2, timedelta(minutes=n)) for n in range(15)]
    )
    with scene.db.write() as session:
        last = session.scalar(select(func.max(SyncLogEntry.id)).where(SyncLogEntry.connector_id == 1))
        session.execute(update(Connector).where(Connector.id == 1).values(log_cleared_id=last))
        for count in session.scalars(select(SyncLogCount).where(SyncLogCount.connector_id == 1)):
            session.delete(count)
    log(scene, [entry(1, timedelta(minutes=1))])
    assert prune(scene)["cleared"] == 15
    rows, counts = rows_and_counts(scene)
    assert rows == counts
    assert sum(counts.values()) == 16


def test_counts_that_a_clearing_left_behind_are_trued_up(scene: Scene) -> None:
    log(scene, [entry(1, timedelta(hours=5, minutes=n)) for n in range(0, 300, 7)] + [entry(2, timedelta(hours=9))])
    with scene.db.write() as session:
        ids = session.scalars(select(SyncLogEntry.id).where(SyncLogEntry.connector_id == 1)).all()
        older = session.scalars(select(SyncLogEntry).where(SyncLogEntry.connector_id == 1)).all()
        # Entries were written youngest first here; clear the older half by turning the ids round.
        moments = sorted(one.at for one in older)
        for one, at in zip(sorted(older, key=lambda one: one.id), moments, strict=True):
            one.at = at
        session.execute(update(Connector).where(Connector.id == 1).values(log_cleared_id=ids[len(ids) // 2]))
    assert prune(scene)["cleared"] == len(ids) // 2 + 1
    rows, counts = rows_and_counts(scene)
    assert rows == counts


def test_batches_are_small_and_pause_between(scene: Scene) -> None:
    log(scene, [entry(1, timedelta(days=100)) for _ in range(15)])
    pauses: list[int] = []
    assert prune(scene, batch=7, pauses=pauses)["success"] == 15
    assert len(pauses) == 2


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


def test_a_second_prune_finds_nothing(scene: Scene) -> None:
    log(scene, many(timedelta(days=100)))
    prune(scene)
    assert set(prune(scene).values()) == {0}


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
