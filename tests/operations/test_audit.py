from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import AuditAction
from integration.models import AuditEntry
from integration.operations import audit
from tests.operations.conftest import NOW
from tests.operations.conftest import Desk


def record(desk: Desk, **values: Any) -> None:
    given = {"organisation_id": 1, "actor": "ann@owner.test", "action": AuditAction.UPDATED, "clock_now": NOW} | values
    with desk.db.write() as session:
        audit.record(session, **given)


def read(desk: Desk, organisation_id: int | None = 1, **filters: Any) -> list[AuditEntry]:
    with desk.db.read() as session:
        return audit.entries(session, organisation_id, **filters)


def test_an_entry_keeps_what_was_said(desk: Desk) -> None:
    record(desk, connector_id=1, ip="192.0.2.1", entity="connector Shop 1", diff={"orders.notes": [False, True]})
    (entry,) = read(desk)
    assert (entry.at, entry.actor, entry.ip) == (NOW, "ann@owner.test", "192.0.2.1")
    assert (entry.action, entry.entity, entry.connector_id) == ("UPDATED", "connector Shop 1", 1)
    assert entry.diff == {"orders.notes": [False, True]}


def test_secrets_are_only_said_to_have_changed(desk: Desk) -> None:
    diff = {
        "store_key": ["ck_1", "ck_2"],
        "store_secret": [None, "cs_2"],
        "mautic_password": ["old", "new"],
        "mautic_url": ["https://a.test", "https://ann:hunter2@b.test"],
    }
    record(desk, diff=diff)
    (entry,) = read(desk)
    assert entry.diff == {
        "store_key": "changed",
        "store_secret": "changed",
        "mautic_password": "changed",
        "mautic_url": ["https://a.test", "https://***@b.test"],
    }


def test_values_that_json_does_not_know_are_written_plainly(desk: Desk) -> None:
    record(desk, diff={"debug_until": [None, NOW], "contacts.default_tags": [(), ("a", "b")]})
    (entry,) = read(desk)
    assert entry.diff == {"debug_until": [None, NOW.isoformat()], "contacts.default_tags": [[], ["a", "b"]]}


def test_a_name_that_is_too_long_is_cut(desk: Desk) -> None:
    record(desk, actor="a" * 300, entity="e" * 300, ip="i" * 300)
    (entry,) = read(desk)
    assert (len(entry.actor), len(entry.entity), len(entry.ip)) == (254, 120, 45)


def test_a_stranger_sees_nothing(desk: Desk) -> None:
    record(desk)
    assert read(desk, 2) == []
    assert len(read(desk, None)) == 1


def test_filters_and_paging_newest_first(desk: Desk) -> None:
    for number in range(5):
        record(
            desk,
            clock_now=NOW + timedelta(hours=number),
            entity=str(number),
            actor="bob@owner.test" if number % 2 else "ann@owner.test",
            connector_id=number % 2 + 1,
            action=AuditAction.PAUSED if number == 4 else AuditAction.UPDATED,
        )
    assert [entry.entity for entry in read(desk)] == ["4", "3", "2", "1", "0"]
    assert [entry.entity for entry in read(desk, actor="bob@owner.test")] == ["3", "1"]
    assert [entry.entity for entry in read(desk, connector_id=1)] == ["4", "2", "0"]
    assert [entry.entity for entry in read(desk, action="PAUSED")] == ["4"]
    assert [e.entity for e in read(desk, since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=3))] == ["2", "1"]
    first = read(desk, limit=2)
    assert [entry.entity for entry in read(desk, limit=2, before_id=first[-1].id)] == ["2", "1"]


def test_an_entry_cannot_be_altered(desk: Desk) -> None:
    record(desk)
    with pytest.raises(audit.AppendOnly), desk.db.write() as session:
        session.scalars(select(AuditEntry)).one().actor = "nobody"


def test_an_entry_cannot_be_deleted(desk: Desk) -> None:
    record(desk)
    with pytest.raises(audit.AppendOnly), desk.db.write() as session:
        session.delete(session.scalars(select(AuditEntry)).one())
    assert len(read(desk)) == 1


def test_changes_names_what_differs() -> None:
    assert audit.changes({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == {
        "b": [2, 4],
        "c": [3, None],
        "d": [None, 5],
    }
