"""How long the sync log is kept: old and cleared entries go, and its counts stay true (P87)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from integration.models import Connector, SyncLogCount, SyncLogEntry
from integration.models.sql import hour_of
from tests.operations.conftest import Scene
from tests.operations.pruning import entry, log, prune


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


def test_a_second_prune_finds_nothing(scene: Scene) -> None:
    log(scene, many(timedelta(days=100)))
    prune(scene)
    assert set(prune(scene).values()) == {0}
