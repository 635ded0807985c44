"""When a sighting of an order is an event: properties over statuses, dates and what was known before."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from integration.pipeline.ingest.status_events import RECENT, Known, Watch, reached_at, seconds_ahead
from integration.records import Address, Order
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)
YEAR = timedelta(days=365)
WATCH = Watch(NOON - YEAR, NOON - 5 * MINUTE)
statuses = st.sampled_from(
    ["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "shipped"]
)
spans = st.timedeltas(min_value=timedelta(0), max_value=YEAR)


def order(status: str, **dates: datetime) -> Order:
    values: dict[str, Any] = {"currency": "EUR", "total": Decimal(1), "billing": Address(email="ada@example.com")}
    return Order(7, "7", status, **values, **dates)


@st.composite
def aged(draw: st.DrawFn) -> Order:
    """An order whose dates follow each other."""
    created = draw(spans)
    paid, completed = created * draw(st.floats(0, 1)), created * draw(st.floats(0, 1))
    last = min(paid, completed) * draw(st.floats(0, 1))
    moments = {"created_at": created, "paid_at": paid, "completed_at": completed, "modified_at": last}
    return order(draw(statuses), **{name: NOON - span for name, span in moments.items()})


@given(aged(), st.one_of(st.none(), statuses), spans)
def test_an_event_is_recent_never_in_the_future_and_never_the_status_that_was_known(
    seen: Order, before: str | None, known: timedelta
) -> None:
    was = Known(before, NOON - known) if before else None
    at = reached_at(seen, was, WATCH, NOON)
    assert at is None or NOON - RECENT <= at <= NOON
    assert at is None or was is None or was.status != seen.status


@given(statuses)
def test_the_first_sighting_of_an_order_of_last_year_is_history_whatever_changed_just_now(status: str) -> None:
    old = NOON - YEAR + 9 * MINUTE
    seen = order(status, created_at=old, paid_at=old, completed_at=old, modified_at=NOON)
    assert reached_at(seen, None, WATCH, NOON) is None


@given(statuses, statuses)
def test_without_any_date_a_first_sighting_tells_nothing(status: str, other: str) -> None:
    assert reached_at(order(status), None, WATCH, NOON) is None


@pytest.mark.parametrize("status", ["completed", "processing", "cancelled", "shipped", "pending"])
def test_what_was_before_the_connector_is_history(status: str) -> None:
    moment = NOON - 30 * MINUTE
    seen = order(status, created_at=moment, paid_at=moment, completed_at=moment, modified_at=moment)
    assert reached_at(seen, None, Watch(NOON - YEAR, NOON), NOON) == moment
    assert reached_at(seen, None, Watch(NOON - 29 * MINUTE, NOON), NOON) is None


def test_a_status_without_a_date_is_believed_only_while_no_change_can_have_been_missed() -> None:
    seen = order("shipped", created_at=NOON - YEAR, modified_at=NOON - MINUTE)
    known = Known("processing", NOON - timedelta(days=9))
    assert reached_at(seen, known, WATCH, NOON) == NOON - MINUTE
    assert reached_at(seen, known, Watch(NOON - YEAR, NOON - RECENT - MINUTE), NOON) is None


def test_an_order_out_of_the_trash_has_reached_nothing() -> None:
    seen = order("completed", created_at=NOON - YEAR, completed_at=NOON, modified_at=NOON)
    assert reached_at(seen, Known("trash", NOON - MINUTE), WATCH, NOON) is None


def test_an_event_that_an_import_left_is_carried_while_it_is_recent() -> None:
    seen = order("completed", created_at=NOON - YEAR, completed_at=NOON - MINUTE, modified_at=NOON)
    for age, carried in ((MINUTE, True), (RECENT + MINUTE, False)):
        assert (reached_at(seen, Known("completed", NOON, NOON - age), WATCH, NOON) is not None) is carried


@pytest.mark.parametrize("minutes", [-7, 7])
def test_the_shops_clock_is_translated_into_ours(minutes: int) -> None:
    ahead = timedelta(minutes=minutes)
    seen = order("completed", completed_at=NOON - 10 * MINUTE + ahead, modified_at=NOON + ahead)
    assert reached_at(seen, None, Watch(NOON - YEAR, NOON, ahead), NOON) == NOON - 10 * MINUTE


def test_a_small_difference_of_clocks_is_none() -> None:
    assert [seconds_ahead(NOON + timedelta(seconds=s), NOON) for s in (-300, -59, 59, 300)] == [-300, 0, 0, 300]
    assert seconds_ahead(None, NOON) == 0
