"""Where thresholds lie, and where there is no alarm: a database of one kind tells it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from integration.models import Hold, Run, Schedule
from integration.pipeline import usage
from integration.pipeline.connectors import connectors
from tests.operations.alerts.conftest import Watch
from tests.operations.alerts.shop_changes import change, late


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.mark.parametrize(
    ("pushed", "failed", "raised"), [(18, 2, False), (18, 3, True), (0, 19, False), (0, 20, True), (500, 30, False)]
)
def test_too_many_failures_of_enough_records(shop: Watch, pushed: int, failed: int, raised: bool) -> None:
    with shop.services.db.write() as session:
        usage.record(session, shop.connector_id, shop.clock.now(), pushed=pushed, failed=failed)
    shop.look(minutes=40)
    assert shop.open == (["failing"] if raised else [])
    shop.look(hours=2)
    assert shop.open == []


def paused(shop: Watch) -> None:
    connectors.pause(shop.services, shop.connector_id)


def off(shop: Watch) -> None:
    connectors.configure(shop.services, shop.connector_id, {"sync.every": "0"})


def longer(shop: Watch) -> None:
    connectors.configure(shop.services, shop.connector_id, {"alerts.periods": "90"})


def going(shop: Watch) -> None:
    change(shop, update(Run).where(Run.state == "PENDING").values(state="RUNNING", leased_until=soon(shop)))


def resumed(shop: Watch) -> None:
    change(shop, update(Schedule).values(next_run_at=shop.clock.now() - timedelta(hours=4)))


def held(shop: Watch) -> None:
    shop.add(*[hold_of(shop, None)])


def released(shop: Watch) -> None:
    shop.add(hold_of(shop, shop.clock.now() - timedelta(minutes=5)))


def weekly(shop: Watch) -> None:
    connectors.configure(shop.services, shop.connector_id, {"sync.cron": "0 3 * * 1"})


def soon(shop: Watch) -> Any:
    return shop.clock.now() + timedelta(minutes=2)


def hold_of(shop: Watch, released_at: Any) -> Hold:
    now = shop.clock.now()
    return Hold(
        connector_id=shop.connector_id,
        service="store",
        code="dns",
        sentence="The store is gone.",
        since=now,
        probe_at=now,
        released_at=released_at,
    )


@pytest.mark.parametrize("case", [paused, off, longer, going, resumed, held, released, weekly])
def test_no_alarm_where_no_sync_is_to_be_expected(shop: Watch, case: Callable[[Watch], None]) -> None:
    late(shop)
    case(shop)
    shop.look(seconds=30)
    assert shop.open == []
