"""A status that was reached before its e-mail or the notes were set sends nothing; the reason stands in the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.queries import record
from integration.sandbox.mautic.seed import seed as seed_mautic
from tests.road.conftest import Road

META = {"meta_data": [{"key": "gift", "value": "yes"}]}


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    """A connector of an hour ago, without e-mails and notes."""
    road = make_road(SetClock(datetime.now(UTC) - timedelta(hours=1)), orders__create_fields=True)
    seed_mautic(road.mautic.state)
    road.mautic.state.notes.clear()
    return road


def completed(road: Road, **span: float) -> dict[str, Any]:
    """Complete an order at a moment after the connector was made."""
    moment = road.services.clock.now() + timedelta(**span)
    order = road.order("ada@example.com")
    text = moment.replace(tzinfo=None, microsecond=0).isoformat()
    return {**order, **{f"date_{name}_gmt": text for name in ("created", "paid", "completed", "modified")}}


def later(road: Road, order: dict[str, Any], minutes: int) -> dict[str, Any]:
    moment = datetime.fromisoformat(order["date_modified_gmt"]) + timedelta(minutes=minutes)
    return {**order, "date_modified_gmt": moment.isoformat(), **META}


def choose(road: Road, minutes: float, **settings: Any) -> None:
    """Save settings some minutes after the connector was made."""
    road.services.clock.advance(minutes=minutes)  # type: ignore[attr-defined]  # a SetClock
    connectors.configure(road.services, road.connector_id, {f"orders.{key}": value for key, value in settings.items()})


def outcome(road: Road) -> tuple[list[int], int]:
    return [each["email_id"] for each in road.mautic.state.sent], len(road.mautic.state.notes)


def sighted(road: Road, order: dict[str, Any]) -> str:
    """Bring an order and return what the newest entry of the log says."""
    road.arrive(order)
    road.work()
    return road.log()[-1].message


def test_a_status_that_was_reached_before_its_e_mail_was_set_sends_nothing(road: Road) -> None:
    order = completed(road, minutes=1)
    choose(road, 5, emails="completed:1", notes=True)
    said = sighted(road, order)
    assert outcome(road) == ([], 0)
    reached = datetime.fromisoformat(order["date_completed_gmt"])
    assert f"was reached on {reached.day} {reached:%B %Y at %H:%M} UTC, before this e-mail was set." in said
    with road.services.db.read() as session:
        [attempt] = record.attempts(session, road.deliveries()[-1].id)
    assert "before this e-mail was set" in attempt.message


def test_a_status_that_is_reached_after_it_was_set_sends_it(road: Road) -> None:
    choose(road, 5, emails="completed:1", notes=True)
    assert "No e-mail" not in sighted(road, completed(road, seconds=0))
    assert outcome(road) == ([1], 1)


def test_saving_without_a_change_keeps_the_moment(road: Road) -> None:
    choose(road, 5, emails="completed:1", notes=True)
    order = completed(road, minutes=1)
    choose(road, 10, emails={"completed": 1}, notes="yes")
    choose(road, 1, statuses="completed", emails="completed:1,refunded:2")
    sighted(road, order)
    assert outcome(road) == ([1], 1)


@pytest.mark.parametrize("changed", [{"emails": "completed:2"}, {"emails": ""}])
def test_another_e_mail_counts_from_when_it_was_chosen(road: Road, changed: dict[str, str]) -> None:
    choose(road, 5, emails="completed:1")
    order = completed(road, minutes=1)
    choose(road, 10, **changed)
    choose(road, 1, emails="completed:2")
    assert "before this e-mail was set" in sighted(road, order)
    assert outcome(road) == ([], 0)
    sighted(road, {**completed(road, seconds=0)})
    assert outcome(road) == ([2], 0)


def test_settings_that_code_wrote_without_moments_count_since_ever(road: Road) -> None:
    with road.services.db.write() as session:
        row = session.get_one(Connector, road.connector_id)
        row.settings = {"orders": {"notes": True, "emails": {"completed": 1}, "create_fields": True}}
    sighted(road, completed(road, minutes=1))
    assert outcome(road) == ([1], 1)


def test_a_shop_whose_clock_is_behind_sends_the_e_mail_all_the_same(road: Road) -> None:
    road.services.clock = SetClock(datetime.now(UTC) + timedelta(minutes=5))
    road.run("incremental")
    choose(road, 0, emails="completed:1", notes=True)
    road.order("ada@example.com")
    road.services.clock.advance(minutes=1)
    road.run("incremental")
    assert outcome(road) == ([1], 1)


def test_a_mere_sighting_says_that_the_status_was_reached_before(road: Road) -> None:
    choose(road, 5, emails="completed:1")
    order = completed(road, minutes=1)
    sighted(road, order)
    said = sighted(road, later(road, order, 3))
    assert "No e-mail for this change: the order reached the status “completed” on" in said
    assert outcome(road) == ([1], 0)
    assert "the order reached the status" in road.deliveries()[-1].error


def test_a_change_to_another_status_without_an_e_mail_says_nothing_of_e_mails(road: Road) -> None:
    choose(road, 5, emails="refunded:2")
    assert "e-mail" not in sighted(road, completed(road, minutes=1))
