"""A connector is deleted with every row that is its own, and nothing of another one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Column, Table, TypeDecorator, func, insert, select

from integration.clock import SetClock
from integration.config import Deployment
from integration.errors import IntegrationError
from integration.models import Base, Connector, Database, Delivery, Organisation, Run
from integration.operations.retention import deletion
from integration.operations.support.debug_capture import Capture
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services

AT = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
#: Tables that outlive a connector though they may name it.
KEPT = {"organisation", "audit_entry", "alert_group"}


@pytest.fixture
def services(db: Database, clock: SetClock, deployment: Deployment) -> Services:
    """Two connectors, each with a row in every table there is."""
    services = open_services(deployment, database=db, clock=clock)
    with db.write() as session:
        if session.scalar(select(func.count()).select_from(Organisation)) == 0:
            session.add(Organisation(id=1, name="Shop Ltd", created_at=AT))
    for number in (1, 2):
        assert connectors.create(services, organisation_id=1, name=f"Shop {number}") == number
        with db.write() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in {"organisation", "connector", "schedule"} and (
                    _owned(table) or table.name in KEPT
                ):
                    session.execute(insert(table).values(_row(table, number)))
    return services


def _owned(table: Table) -> bool:
    """Whether rows of a table belong to a connector, by themselves or through what they belong to."""
    parents = [key.column.table for key in table.foreign_keys]
    return any(each.name == "connector" or _owned(each) for each in parents)


def _row(table: Table, number: int) -> dict[str, Any]:
    values = {column.name: _value(column, number) for column in table.columns}
    ended = {"state": "COMPLETED"} if table.name == "run" else {"state": "dead"} if table.name == "delivery" else {}
    return values | ({"organisation_id": 1} if "organisation_id" in values else {}) | ended


def _value(column: Column[Any], number: int) -> Any:
    values = {datetime: AT, bool: False, dict: {}, int: number, float: 1.0, Decimal: number}
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return values.get(kind.python_type, str(number))


def _rows(db: Database) -> dict[str, int]:
    with db.read() as session:
        tables = Base.metadata.sorted_tables
        return {each.name: session.scalar(select(func.count()).select_from(each)) or 0 for each in tables}


def test_no_table_keeps_a_row_of_it(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 1)
    before = _rows(services.db)
    audited: list[deletion.Deleted] = []
    done = deletion.delete(services, 1, audit=lambda session, each: audited.append(each), pause=lambda: None)
    expected = {name: number if name in KEPT or not number else number - 1 for name, number in before.items()}
    assert _rows(services.db) == expected
    assert (audited, done.name, done.settings["id"]) == ([done], "Shop 1", 1)
    with services.db.read() as session:
        assert session.scalars(select(Connector.id)).all() == [2]
        assert session.scalars(select(Delivery.connector_id)).all() == [2]


@pytest.mark.parametrize(("model", "state", "code"), [(Run, "RUNNING", "run_going"), (Delivery, "leased", "busy")])
def test_nothing_goes_while_something_is_under_way(services: Services, model: Any, state: str, code: str) -> None:
    with services.db.write() as session:
        session.get_one(model, 1).state = state
    before = _rows(services.db)
    with pytest.raises(IntegrationError) as refused:
        deletion.delete(services, 1)
    assert (refused.value.code, _rows(services.db)) == (code, before)


def test_its_files_go_too(services: Services) -> None:
    folder = services.deployment.instance_path
    for name in ("payloads/1/a.json", "payloads/2/a.json", "logs/debug-1.log", "logs/debug-2.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    assert Capture(folder / "logs").files(1)
    deletion.delete(services, 1)
    assert not (folder / "payloads/1").exists()
    assert not (folder / "logs/debug-1.log").exists()
    assert (folder / "payloads/2/a.json").exists()
    assert (folder / "logs/debug-2.log").exists()
