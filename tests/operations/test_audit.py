from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import AuditAction, AuditEntry
from integration.operations import audit
from tests.operations.conftest import NOW, Scene


def record(scene: Scene, **values: Any) -> None:
    given = {"organisation_id": 1, "actor": "ann@owner.test", "action": AuditAction.UPDATED, "clock_now": NOW} | values
    with scene.db.write() as session:
        audit.record(session, **given)


def read(scene: Scene, organisation_id: int | None = 1, size: int = 100, **asked: str) -> Sequence[AuditEntry]:
    query, notices = audit.AuditQuery.parse(organisation_id, asked)
    assert notices == []
    with scene.db.read() as session:
        return audit.read(session, query, size)


def test_an_entry_keeps_what_was_said(scene: Scene) -> None:
    record(scene, connector_id=1, ip="192.0.2.1", entity="connector Shop 1", diff={"orders.notes": [False, True]})
    (entry,) = read(scene)
    assert (entry.at, entry.actor, entry.ip) == (NOW, "ann@owner.test", "192.0.2.1")
    assert (entry.action, entry.entity, entry.connector_id) == ("UPDATED", "connector Shop 1", 1)
    assert entry.diff == {"orders.notes": [False, True]}


def test_secrets_are_only_said_to_have_changed(scene: Scene) -> None:
    diff = {
        "store_key": ["ck_1", "ck_2"],
        "store_secret": [None, "cs_2"],
        "mautic_password": ["old", "new"],
        "mautic_url": ["https://a.test", "https://ann:hunter2@b.test"],
    }
    record(scene, diff=diff)
    (entry,) = read(scene)
    assert entry.diff == {
        "store_key": "changed",
        "store_secret": "changed",
        "mautic_password": "changed",
        "mautic_url": ["https://a.test", "https://***@b.test"],
    }


def test_values_that_json_does_not_know_are_written_plainly(scene: Scene) -> None:
    record(scene, diff={"debug_until": [None, NOW], "contacts.default_tags": [(), ("a", "b")]})
    (entry,) = read(scene)
    assert entry.diff == {"debug_until": [None, NOW.isoformat()], "contacts.default_tags": [[], ["a", "b"]]}


def test_a_name_that_is_too_long_is_cut(scene: Scene) -> None:
    record(scene, actor="a" * 300, entity="e" * 300, ip="i" * 300)
    (entry,) = read(scene)
    assert (len(entry.actor), len(entry.entity), len(entry.ip)) == (254, 120, 45)


def test_a_stranger_sees_nothing(scene: Scene) -> None:
    record(scene)
    assert read(scene, 2) == []
    assert len(read(scene, None)) == 1


def test_filters_and_paging_newest_first(scene: Scene) -> None:
    for number in range(5):
        record(
            scene,
            clock_now=NOW + timedelta(days=number),
            entity=f"Thing {number}",
            actor="bob@owner.test" if number % 2 else "ann@owner.test",
            connector_id=number % 2 + 1,
            action=AuditAction.PAUSED if number == 4 else AuditAction.UPDATED,
        )

    def found(**asked: str) -> str:
        return "".join(entry.entity[-1] for entry in read(scene, **asked))

    assert found() == "43210"
    assert found(actor="BOB") == "31"
    assert found(connector="1") == "420"
    assert found(action="PAUSED") == "4"
    assert found(entity="g 3") == "3"
    assert found(entity="%") == ""
    assert found(since="2026-05-05", until="2026-05-07") == "321"
    first = read(scene, size=2)
    assert [entry.entity[-1] for entry in read(scene, size=2, before=str(first[-1].id))] == ["2", "1"]


def test_a_walk_yields_everything_that_fits(scene: Scene) -> None:
    for number in range(7):
        record(scene, entity=str(number), actor="bob@owner.test" if number % 3 else "ann@owner.test")
    query, _ = audit.AuditQuery.parse(1, {"actor": "bob"})
    slices = [[entry.entity for entry in entries] for entries in audit.walk(scene.db, query, size=3)]
    assert slices == [["5", "4", "2"], ["1"]]


@pytest.mark.parametrize(
    ("asked", "notice"),
    [
        ({"action": "EXPLODED"}, "There is no action “EXPLODED”. That filter was left out."),
        ({"since": "yesterday"}, "“yesterday” is no date; write it like 2026-11-20. That filter was left out."),
        ({"until": "9999-12-31"}, "“9999-12-31” is no date; write it like 2026-11-20. That filter was left out."),
        ({"connector": "-1"}, f"“connector” is a number from 0 to {10**15}, not -1. That filter was left out."),
        ({"before": "9" * 30}, f"“before” is a number from 0 to {10**15}, not {'9' * 30}. That filter was left out."),
    ],
)
def test_a_value_that_cannot_be_used_is_left_out_with_a_notice(asked: dict[str, str], notice: str) -> None:
    query, notices = audit.AuditQuery.parse(1, asked)
    assert notices == [notice]
    assert query == audit.AuditQuery(organisation_id=1)


def test_a_query_stands_in_an_address() -> None:
    asked = {"actor": "ann", "action": "UPDATED", "connector": "3", "since": "2026-05-01", "before": "77"}
    query, _ = audit.AuditQuery.parse(1, asked)
    assert query.args() == asked
    assert query.args(before=None) == {name: value for name, value in asked.items() if name != "before"}
    assert query.filtered
    assert not audit.AuditQuery(organisation_id=1, before=3).filtered


def test_days_that_are_turned_round_find_nothing_and_say_so() -> None:
    query, notices = audit.AuditQuery.parse(1, {"since": "2026-05-05", "until": "2026-05-01"})
    assert notices == ["The first day is after the last one, so nothing can be found."]


def test_an_entry_cannot_be_altered(scene: Scene) -> None:
    record(scene)
    with pytest.raises(audit.AppendOnly), scene.db.write() as session:
        session.scalars(select(AuditEntry)).one().actor = "nobody"


def test_an_entry_cannot_be_deleted(scene: Scene) -> None:
    record(scene)
    with pytest.raises(audit.AppendOnly), scene.db.write() as session:
        session.delete(session.scalars(select(AuditEntry)).one())
    assert len(read(scene)) == 1


def test_changes_names_what_differs() -> None:
    assert audit.changes({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == {
        "b": [2, 4],
        "c": [3, None],
        "d": [None, 5],
    }
