"""A Mautic that fails in any way gets few calls, a hold and one alert; afterwards everything arrives once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from integration.clock import SetClock
from integration.engines.worker import Worker
from integration.models import Alert, Attempt
from integration.operations.monitoring import alerts, heartbeat
from integration.pipeline.delivery.attempts import FIRST_KEPT, NEWEST_KEPT
from tests.conftest import NOON
from tests.road.conftest import Road

FAULTS: dict[str, dict[str, Any]] = {
    "down": {"kind": "down"},
    "cut": {"kind": "cut"},
    "lose_answer": {"kind": "lose_answer"},
    "hang": {"kind": "hang", "value": 300},
    "500": {"kind": "status", "value": 500},
    "503": {"kind": "status", "value": 503},
    "504": {"kind": "status", "value": 504},
    "html": {"kind": "html"},
    "redirect": {"kind": "status", "value": 302},
    "wrong_credentials": {"kind": "wrong_credentials"},
    "rate_limit": {"kind": "rate_limit", "value": 0},
}
SCOPES = {"writes": "/api/contacts/batch", "everything": ""}
MOST_CALLS, MOST_CALLS_UNTIL_HELD = 20, 10


class Shift:
    """A worker whose clock is moved by hand, while a shopper buys something every ten seconds."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.worker = Worker(road.services)
        self.people: list[str] = []

    def buy(self, count: int = 1) -> None:
        for _ in range(count):
            self.people.append(f"p{len(self.people)}@example.com")
            self.road.arrive(self.road.order(self.people[-1]))

    def calls(self) -> int:
        """Return how many calls were made; the stand-in notes a call when it ends, so those that are out count too."""
        return self.road.mautic.calls.total + self.out()

    def out(self) -> int:
        return self.road.services.breakers.of(self.road.connector_id, "mautic").calls_out

    def second(self) -> None:
        """Work until nothing is left to do in this second but to wait for calls that hang, then let it pass."""
        for look in range(1000):
            going = self.worker.dispatch()
            hangs = look > 4 and self.out() and any(rule.kind == "hang" for rule in self.road.mautic.faults.rules())
            if hangs or not (going or self.worker._has_work()):
                break
            time.sleep(0.005)
        assert isinstance(self.road.services.clock, SetClock)
        self.road.services.clock.advance(seconds=1)

    def watch(self) -> None:
        heartbeat.beat(self.road.services, "test", "worker")
        alerts.evaluate(self.road.services)

    def minute(self) -> int:
        """Work for a minute; return how many calls were made until the hold."""
        until_held = -1
        for second in range(60):
            if second % 10 == 9:
                self.buy()
            self.second()
            if until_held < 0 and self.road.holds():
                until_held = self.calls()
        return until_held

    def catch_up(self) -> None:
        """Work on until everything has arrived, for two hours at most: a limit of calls may last an hour."""
        assert isinstance(self.road.services.clock, SetClock)
        for _ in range(180):
            self.road.work()
            if self.road.states() == {"delivered"}:
                return
            self.road.services.clock.advance(seconds=40)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: what differs here is how Mautic fails; holds on both databases have tests of their own."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def shift(make_road: Callable[..., Road]) -> Shift:
    road = make_road(SetClock(NOON))
    road.arrive(road.order("first@example.com"))
    road.work()
    road.mautic.calls.reset()
    return Shift(road)


def counted(shift: Shift, *columns: Any) -> list[tuple[Any, ...]]:
    with shift.road.services.db.read() as session:
        return [tuple(row) for row in session.execute(select(*columns))]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_gets_few_calls_a_hold_and_one_alert(shift: Shift, fault: str, scope: str) -> None:
    shift.buy(5)
    shift.road.mautic.faults.command({**FAULTS[fault], "path": SCOPES[scope]})
    until_held = shift.minute()
    calls = shift.calls()
    assert 0 < until_held <= MOST_CALLS_UNTIL_HELD
    assert calls <= MOST_CALLS
    assert len(shift.road.holds()) == 1
    for _ in range(4):
        shift.road.services.clock.advance(seconds=30)  # type: ignore[attr-defined]  # a SetClock
        shift.second()
        shift.watch()
    assert max(delivery.attempts for delivery in shift.road.deliveries()) > 0
    assert [cause for (cause,) in counted(shift, Alert.cause)] == ["held_mautic"]
    with shift.road.services.db.read() as session:
        rows = session.scalars(select(func.count()).select_from(Attempt).group_by(Attempt.delivery_id)).all()
    assert max(rows, default=0) <= FIRST_KEPT + NEWEST_KEPT
    shift.road.mautic.faults.clear()
    shift.worker.stop()
    shift.catch_up()
    assert shift.road.states() == {"delivered"}
    assert shift.road.holds() == []
    arrived = Counter(str(contact.values.get("email")) for contact in shift.road.mautic.state.contacts.values())
    assert {email: arrived[email] for email in shift.people} == dict.fromkeys(shift.people, 1)
