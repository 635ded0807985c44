"""A batch whose lease another process has taken over sends nothing more; who took it over looks first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from integration.clock import SetClock
from integration.pipeline import outbox
from integration.pipeline.delivery import batch as batch_module, refresh
from tests.road.conftest import Road


def test_a_machine_that_slept_in_the_middle_of_a_batch_sends_nothing_twice(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(datetime.now(UTC))
    road = make_road(clock, orders__create_fields=True, orders__notes=True)
    road.work()
    road.arrive(road.order("ada@example.com"))
    freshen, writes = refresh.freshen, road.writes()

    def asleep(*arguments: object) -> object:
        monkeypatch.setattr(batch_module, "freshen", freshen)
        clock.advance(seconds=61)
        with road.services.db.write() as session:
            assert outbox.recover(session, clock.now()) == 1
        return freshen(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_module, "freshen", asleep)
    road.work()
    assert (road.writes(), road.states()) == (writes, {"ready"})
    for _ in range(3):
        clock.advance(seconds=61)
        road.work()
    assert road.states() == {"delivered"}
    assert road.contact("ada@example.com") and len(road.mautic.state.notes) == 1
