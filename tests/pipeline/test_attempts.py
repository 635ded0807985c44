"""Attempts: tries that could not be made are one row, and few rows are kept of one record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import Attempt
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery import attempts
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.ingest import records
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.conftest import MakeChange


@pytest.fixture
def delivery_ids(services: Services, connector_id: int, change: MakeChange) -> list[int]:
    with services.db.write() as session:
        records.accept(session, NOON, connector_id, [change(1, "a@example.com"), change(2, "b@example.com")])
    return [1, 2]


def failed(services: Services, ids: Sequence[int], at: datetime, code: str = "cut", **tried: Any) -> None:
    outcomes = [Outcome(number, None, error_code=code, message=f"It was {code}.") for number in ids]
    batch = attempts.Batch(1, at, 0.5, "c")
    rows = [row | tried for row in attempts.untried(batch, outcomes)]
    with services.db.write() as session:
        attempts.record(session, rows, outcomes)


def kept(services: Services, delivery_id: int) -> list[Attempt]:
    with services.db.read() as session:
        return list(session.scalars(select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id)))


def test_tries_of_one_cause_that_could_not_be_made_are_one_row(
    services: Services, clock: SetClock, delivery_ids: list[int]
) -> None:
    for _ in range(12):
        failed(services, delivery_ids, clock.advance(minutes=5))
    for delivery_id in delivery_ids:
        [row] = kept(services, delivery_id)
        assert (row.tries, row.at, row.last_at) == (12, NOON + timedelta(minutes=5), NOON + timedelta(minutes=60))


def test_another_cause_and_a_try_that_was_made_begin_a_new_row(
    services: Services, clock: SetClock, delivery_ids: list[int]
) -> None:
    one = delivery_ids[:1]
    failed(services, one, clock.now())
    failed(services, one, clock.now(), "refused")
    failed(services, one, clock.now(), "refused", sent={"fields": {}}, answer={"error": "No."})
    failed(services, one, clock.now(), "refused")
    failed(services, one, clock.now(), "refused")
    assert [(row.error_code, row.tries) for row in kept(services, one[0])] == [
        ("cut", 1),
        ("refused", 1),
        ("refused", 1),
        ("refused", 2),
    ]


def test_of_many_attempts_the_first_and_the_newest_are_kept(
    services: Services, clock: SetClock, delivery_ids: list[int]
) -> None:
    for _ in range(60):
        failed(services, delivery_ids, clock.advance(seconds=1), sent={"fields": {}})
    seconds = [int((row.at - NOON).total_seconds()) for row in kept(services, delivery_ids[0])]
    assert seconds == [1, 2, 3, 4, 5, *range(46, 61)]
    assert len(kept(services, delivery_ids[1])) == attempts.FIRST_KEPT + attempts.NEWEST_KEPT


def test_the_end_of_a_record_is_never_among_what_is_dropped(
    services: Services, clock: SetClock, delivery_ids: list[int]
) -> None:
    for _ in range(30):
        failed(services, delivery_ids, clock.advance(seconds=1), sent={"fields": {}})
    dead = [Outcome(delivery_ids[0], DeliveryState.DEAD, error_code="refused", message="No.")]
    rows = list(attempts.untried(attempts.Batch(1, clock.advance(seconds=1), 0.5, "c"), dead))
    with services.db.write() as session:
        attempts.record(session, rows, dead)
    assert kept(services, delivery_ids[0])[-1].outcome == "dead"
    assert len(kept(services, delivery_ids[0])) == attempts.FIRST_KEPT + attempts.NEWEST_KEPT
