"""The chain of the audit log: what verifying finds, and what retention does to it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from integration.models import AuditAction, AuditEntry
from integration.models.audit import AuditAnchor
from integration.operations import audit
from integration.operations.audit import chain
from tests.operations.conftest import NOW, Scene

ODD: dict[str, Any] = {
    "settings.rate": [0.1, 1e-7],
    "big": [2**60, -0.0],
    "ünïcode": ["naïve ☃", "\u2028line"],
    "nested": [{"b": [1, None], "a": True}, []],
    "never": [float("inf"), float("nan")],
    "store_key": ["a", "b"],
}


def record(scene: Scene, number: int = 1, organisation_id: int | None = 1, **values: Any) -> None:
    given = {"actor": "ann@owner.test", "action": AuditAction.UPDATED, "clock_now": NOW} | values
    with scene.db.write() as session:
        for each in range(number):
            audit.record(session, organisation_id=organisation_id, entity=f"thing {each}", **given)


def verify(scene: Scene, organisation_id: int | None = 1) -> chain.Chain:
    with scene.db.read() as session:
        (found,) = audit.verify(session, organisation_id)
    return found


def ids(scene: Scene) -> list[int]:
    with scene.db.read() as session:
        return list(session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)))


def execute(scene: Scene, statement: Any) -> None:
    with scene.db.write() as session:
        session.execute(statement)


def unhashed(scene: Scene, at: datetime = NOW) -> None:
    row = {"organisation_id": 1, "at": at, "actor": "x", "ip": "", "action": "UPDATED", "entity": "", "diff": {}}
    execute(scene, insert(AuditEntry).values(**row))


def test_entries_fit_each_other_within_and_across_transactions(scene: Scene) -> None:
    record(scene, 3, diff=ODD, ip="2001:db8::1", connector_id=1)
    record(scene, 2, clock_now=datetime(2026, 5, 4, 12, 30, 1, 7, tzinfo=timezone(timedelta(hours=2))))
    found = verify(scene)
    assert (found.ok, found.checked, found.uncovered, found.retired) == (True, 5, 0, 0)
    with scene.db.read() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert rows[0].previous_hash == ""
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert found.head == rows[-1].hash
    assert len({row.hash for row in rows}) == 5


def test_a_name_with_what_no_database_stores_fits_too(scene: Scene) -> None:
    record(scene, actor="a\x00nn" + "x" * 300)
    assert verify(scene).ok


def test_the_hash_does_not_depend_on_the_zone_of_the_moment() -> None:
    fields = dict.fromkeys(chain.COVERED, "") | {"at": datetime(2026, 5, 4, 10, 30, tzinfo=UTC)}
    elsewhere = fields | {"at": datetime(2026, 5, 4, 12, 30, tzinfo=timezone(timedelta(hours=2)))}
    assert chain.digest("a", fields) == chain.digest("a", elsewhere)
    assert chain.digest("a", fields) != chain.digest("b", fields)


def test_organisations_and_entries_of_none_have_chains_of_their_own(scene: Scene) -> None:
    record(scene, 2)
    record(scene, 3, organisation_id=2)
    record(scene, 1, organisation_id=None)
    record(scene, 1)
    with scene.db.read() as session:
        chains = audit.verify(session)
    assert {each.organisation_id: each.checked for each in chains} == {1: 3, 2: 3, None: 1}
    assert all(each.ok for each in chains)


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "nobody"},
        {"diff": {}},
        {"at": NOW + timedelta(microseconds=1)},
        {"ip": "192.0.2.9"},
        {"connector_id": 9},
        {"entity": "else"},
        {"action": "DELETED"},
        {"hash": "f" * 64},
        {"previous_hash": "f" * 64},
    ],
)
def test_an_altered_entry_is_found(scene: Scene, change: dict[str, Any]) -> None:
    record(scene, 4, diff={"a": [1, 2]})
    third = ids(scene)[2]
    execute(scene, update(AuditEntry).where(AuditEntry.id == third).values(**change))
    found = verify(scene)
    assert (found.ok, found.broken_id, found.problem, found.checked) == (False, third, chain.ALTERED, 2)


def test_an_entry_that_was_taken_out_is_missed_by_the_next(scene: Scene) -> None:
    record(scene, 4)
    every = ids(scene)
    execute(scene, delete(AuditEntry).where(AuditEntry.id == every[1]))
    found = verify(scene)
    assert (found.broken_id, found.problem, found.checked) == (every[2], chain.MISSING, 1)


def test_an_oldest_entry_that_was_taken_out_is_missed(scene: Scene) -> None:
    record(scene, 3)
    every = ids(scene)
    execute(scene, delete(AuditEntry).where(AuditEntry.id == every[0]))
    assert (verify(scene).broken_id, verify(scene).problem) == (every[1], chain.MISSING)


def test_an_entry_without_a_hash_is_only_allowed_at_the_beginning(scene: Scene) -> None:
    unhashed(scene)
    unhashed(scene)
    record(scene, 2)
    found = verify(scene)
    assert (found.ok, found.uncovered, found.checked) == (True, 2, 2)
    unhashed(scene)
    found = verify(scene)
    assert (found.broken_id, found.problem) == (ids(scene)[-1], chain.UNHASHED)


def test_a_chain_longer_than_a_batch_is_read_to_its_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "CHAIN_BATCH_ROWS", 3)
    record(scene, 10)
    assert verify(scene).checked == 10


def retire(scene: Scene, before: datetime, batch: int = 2) -> int:
    chains = (1, 2, None)
    return sum(audit.retire_chain(scene.db, each, before, NOW, batch=batch, pause=lambda: None) for each in chains)


def test_retention_moves_the_anchor_and_the_rest_still_fits(scene: Scene) -> None:
    record(scene, 5, clock_now=NOW - timedelta(days=800))
    record(scene, 2)
    assert retire(scene, NOW - timedelta(days=730)) == 5
    found = verify(scene)
    assert (found.ok, found.checked, found.retired) == (True, 2, 5)
    assert len(found.anchor) == 64
    record(scene, 1)
    assert verify(scene).checked == 3
    execute(scene, delete(AuditEntry).where(AuditEntry.id == ids(scene)[0]))
    assert verify(scene).problem == chain.MISSING


def test_a_chain_that_was_retired_whole_goes_on_from_its_anchor(scene: Scene) -> None:
    record(scene, 3)
    assert retire(scene, NOW + timedelta(days=1)) == 3
    assert retire(scene, NOW + timedelta(days=1)) == 0
    record(scene, 2, clock_now=NOW + timedelta(days=2))
    found = verify(scene)
    assert (found.ok, found.checked, found.retired) == (True, 2, 3)
    with scene.db.read() as session:
        first = session.scalars(select(AuditEntry.previous_hash).order_by(AuditEntry.id)).first()
    assert first == found.anchor
    assert retire(scene, NOW + timedelta(days=9)) == 2
    assert verify(scene).retired == 5


def test_an_entry_without_a_hash_behind_the_anchor_does_not_fit(scene: Scene) -> None:
    record(scene, 2)
    retire(scene, NOW + timedelta(days=1))
    unhashed(scene)
    assert verify(scene).problem == chain.UNHASHED


def test_a_clock_that_was_wrong_tears_no_hole(scene: Scene) -> None:
    old = NOW - timedelta(days=800)
    for at in (old, NOW, old, NOW):
        record(scene, clock_now=at)
    assert retire(scene, NOW - timedelta(days=730)) == 1
    assert (verify(scene).ok, verify(scene).checked) == (True, 3)


def test_chains_have_anchors_of_their_own(scene: Scene) -> None:
    record(scene, 2, organisation_id=2)
    record(scene, 3, organisation_id=None)
    record(scene, 1, clock_now=NOW + timedelta(days=5))
    assert retire(scene, NOW + timedelta(days=1)) == 5
    with scene.db.read() as session:
        anchors = session.execute(select(AuditAnchor.organisation_id, AuditAnchor.entries)).all()
        assert sorted(map(tuple, anchors)) == [(0, 3), (2, 2)]
        assert all(each.ok for each in audit.verify(session))


def test_entries_that_retention_takes_while_verifying_reads_are_no_break(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(scene, 3)
    record(scene, 3, clock_now=NOW + timedelta(days=2))
    digest = chain.digest
    retired: list[int] = []

    def slowly(previous: str, fields: Any) -> str:
        if not retired:
            retired.append(retire(scene, NOW + timedelta(days=1)))
        return digest(previous, fields)

    monkeypatch.setattr(chain, "CHAIN_BATCH_ROWS", 1)
    monkeypatch.setattr(chain, "digest", slowly)
    assert verify(scene).ok
    assert retired == [3]


def test_writers_at_the_same_time_make_one_chain(scene: Scene) -> None:
    start = threading.Barrier(4)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            start.wait(10)
            for _ in range(5):
                record(scene, 2)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert (verify(scene).ok, verify(scene).checked) == (True, 40)
    with scene.db.read() as session:
        distinct = session.scalar(select(func.count(AuditEntry.previous_hash.distinct())))
    assert distinct == 40
