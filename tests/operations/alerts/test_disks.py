"""Disks of several machines: each process reports its own, and what one has told no other takes back."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from integration.engines import clock_steps
from integration.models import DiskReport
from integration.models.disk_faults import READ_ONLY
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import disks
from integration.pipeline.disk import MAKE_ROOM
from tests.operations.alerts.conftest import Watch

SHORTAGE = "Less than 500 MB of the disk are free."
LOW, FULL = "low", "full"


class Machines:
    """Several machines with a process each, that look one after another."""

    def __init__(self, shop: Watch, patch: pytest.MonkeyPatch) -> None:
        self.shop, self.patch = shop, patch

    def look(self, name: str, *wrong: str, **later: float) -> None:
        """Let the process of a machine look, whose own disk is low or full."""
        disk = self.shop.services.disk
        self.patch.setattr(disks, "this_process", lambda: f"{name}.")
        self.patch.setattr(socket, "gethostname", lambda: name)
        self.patch.setattr(disk, "look", lambda: READ_ONLY if FULL in wrong else None)
        self.patch.setattr(disk, "shortage", lambda: SHORTAGE if LOW in wrong else "")
        self.shop.clock.advance(**later)
        alerts.report_disk(self.shop.services)
        self.shop.look()


@pytest.fixture
def machines(shop: Watch, monkeypatch: pytest.MonkeyPatch) -> Machines:
    return Machines(shop, monkeypatch)


def test_what_one_machine_has_told_another_does_not_take_back(shop: Watch, machines: Machines) -> None:
    machines.look("web", LOW)
    machines.look("worker", seconds=30)
    assert shop.open == ["disk_low"]
    assert len(shop.alerts) == 1
    assert shop.alerts[0].hint == f"{MAKE_ROOM} It is the disk of the machine “web”."
    machines.look("web", LOW, seconds=30)
    machines.look("worker", seconds=30)
    assert [alert.ended_at for alert in shop.alerts] == [None]


def test_it_ends_when_its_own_machine_has_room(shop: Watch, machines: Machines) -> None:
    machines.look("web", LOW)
    machines.look("worker", seconds=30)
    machines.look("web", seconds=30)
    assert shop.open == []


def test_of_two_machines_the_same_is_said_whoever_looks(shop: Watch, machines: Machines) -> None:
    machines.look("web", LOW)
    machines.look("worker", LOW, seconds=30)
    hint = shop.alerts[0].hint
    machines.look("web", LOW, seconds=30)
    assert shop.alerts[0].hint == hint
    machines.look("web", seconds=30)
    assert (shop.open, shop.alerts[0].hint) == (["disk_low"], f"{MAKE_ROOM} It is the disk of the machine “worker”.")


def test_a_full_disk_explains_that_it_is_nearly_full_but_not_another_one(shop: Watch, machines: Machines) -> None:
    machines.look("web", FULL, LOW)
    machines.look("worker", seconds=30)
    assert shop.open == ["disk_full"]
    machines.look("worker", LOW, seconds=30)
    assert sorted(shop.open) == ["disk_full", "disk_low"]


def test_the_report_of_a_process_that_is_gone_is_over_in_time(shop: Watch, machines: Machines) -> None:
    machines.look("web", LOW)
    machines.look("worker", seconds=disks.FRESH.total_seconds() - 1)
    assert shop.open == ["disk_low"]
    machines.look("worker", seconds=2)
    assert shop.open == []


def test_a_report_from_before_the_clock_was_set_back_never_counts_again(shop: Watch, machines: Machines) -> None:
    machines.look("web", LOW)
    machines.look("worker", seconds=-timedelta(hours=1).total_seconds())
    assert shop.open == []
    shop.clock.advance(hours=1)
    shop.beat()
    shop.clock.advance(hours=-1)
    clock_steps.look(shop.services)
    machines.look("worker", seconds=timedelta(hours=1).total_seconds())
    assert shop.open == []


def test_a_full_disk_of_the_databases_machine_is_not_said_of_this_one(shop: Watch) -> None:
    disk, full = shop.services.disk, OperationalError("INSERT", None, OSError(28, "No space left on device"))
    assert disk.met(full)
    [told] = disks.look(shop.services)
    assert ("machine" in told.hint) is shop.services.db.sqlite
    assert disk.met(OSError(28, "No space left on device"))
    [told] = disks.look(shop.services)
    assert told.hint.endswith(f"It is the disk of the machine “{socket.gethostname()}”.")


def test_a_disk_that_takes_no_report_is_told_by_its_own_process(shop: Watch, machines: Machines) -> None:
    @event.listens_for(shop.services.db.engine, "before_cursor_execute")
    def _refuse(conn: object, cursor: object, statement: str, *args: object) -> None:
        if statement.startswith("INSERT INTO disk_report"):
            raise OperationalError(statement, None, OSError(28, "No space left on device"))

    machines.look("web", FULL)
    assert shop.open == ["disk_full"]
    with shop.services.db.read() as session:
        assert session.query(DiskReport).count() == 0


def test_another_fault_of_the_database_is_raised(shop: Watch, machines: Machines) -> None:
    @event.listens_for(shop.services.db.engine, "before_cursor_execute")
    def _refuse(conn: object, cursor: object, statement: str, *args: object) -> None:
        if statement.startswith("INSERT INTO disk_report"):
            raise OperationalError(statement, None, OSError("gone"))

    with pytest.raises(OperationalError):
        machines.look("web", LOW)
