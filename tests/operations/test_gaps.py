"""Webhook gaps: noticed, healed once an hour, and what they missed is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from integration.clock import SetClock
from integration.models import AuditEntry, Connector, Delivery, Gap, Run
from integration.operations.reconciliation import webhook_gaps, webhook_symptoms
from integration.pipeline.connectors import connectors, webhook_registration
from integration.store.webhooks import TOPICS
from tests.road.conftest import Road, make_road, mautic, store

__all__ = ["make_road", "mautic", "store"]

URL = "http://127.0.0.1:9/hooks/x"
IDS = {topic: number for number, topic in enumerate(TOPICS, 1)}


def hooks(**changed: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "topic": topic,
            "status": "active",
            "delivery_url": URL,
            **changed.get(topic.replace(".", "_"), {}),
        }
        for topic, number in IDS.items()
    ]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (hooks(), {}),
        (hooks(order_updated={"status": "disabled"}), {"disabled": ("order.updated",)}),
        (hooks(order_updated={"status": "paused"}), {"paused": ("order.updated",)}),
        (hooks(order_updated={"delivery_url": "https://old.test/hooks/x"}), {"moved": ("order.updated",)}),
        (hooks()[1:], {"missing": (TOPICS[0],)}),
        ([], {"missing": TOPICS}),
        ([*hooks(order_updated={"status": "disabled"}), {**hooks()[4], "id": 99}], {}),
    ],
)
def test_what_is_wrong_with_the_webhooks(rows: list[dict[str, Any]], found: dict[str, tuple[str, ...]]) -> None:
    seen = webhook_symptoms.look(IDS, rows, URL)
    assert {each.cause: each.topics for each in seen} == found
    assert all(each.sentence.endswith(".") for each in seen)


# -- against the stand-in shop ----------------------------------------------------------------------------------------


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    """A road whose webhooks are registered at an address where nobody answers."""
    road = make_road()
    road.services.deployment = road.services.deployment.model_copy(update={"public_url": "http://127.0.0.1:9"})
    road.run()
    webhook_registration.register(road.services, road.connector_id)
    road.services.clock = SetClock(road.services.clock.now() + timedelta(hours=2))
    return road


def clock_of(road: Road) -> SetClock:
    assert isinstance(road.services.clock, SetClock)
    return road.services.clock


def all_gaps(road: Road) -> list[Gap]:
    with road.services.db.read() as session:
        return list(session.scalars(select(Gap).order_by(Gap.id)))


def states(road: Road) -> set[str]:
    return {health.state for health in webhook_registration.status(road.services, road.connector_id)}


def disable(road: Road, topic: str = "order.updated") -> None:
    next(hook for hook in road.store.state.webhooks.values() if hook["topic"] == topic)["status"] = "disabled"


def test_nothing_is_written_while_all_is_well(road: Road) -> None:
    assert webhook_gaps.tick(road.services) == 1
    assert all_gaps(road) == []


def test_a_disabled_webhook_is_switched_on_and_the_gap_is_read(road: Road) -> None:
    disable(road)
    road.order("ada@example.com")
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert (gap.cause, gap.topics, gap.error) == ("disabled", ["order.updated"], "")
    assert gap.healed_at is not None
    assert states(road) == {"active"}
    road.work()
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    with road.services.db.read() as session:
        run = session.get_one(Run, gap.run_id)
        assert webhook_gaps.open_gaps(session, road.connector_id) == []
        audited = session.scalars(select(AuditEntry).where(AuditEntry.action == "WEBHOOKS_CHANGED")).all()
    assert (run.kind, run.trigger, run.state) == ("incremental", webhook_gaps.ACTOR, "COMPLETED")
    assert gap.saved == 1
    assert road.mautic.state.contact("ada@example.com") is not None
    assert [entry.diff for entry in audited] == [{"order.updated": ["disabled", "active"]}]


def test_missing_webhooks_are_made_again(road: Road) -> None:
    road.store.state.webhooks.clear()
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert (gap.cause, set(gap.topics)) == ("missing", set(TOPICS))
    assert states(road) == {"active"}


def test_those_at_an_old_address_move_with_us(road: Road) -> None:
    road.services.deployment = road.services.deployment.model_copy(update={"public_url": "http://127.0.0.1:8"})
    webhook_gaps.tick(road.services)
    assert [gap.cause for gap in all_gaps(road)] == ["moved"]
    assert {hook["delivery_url"].split("/hooks")[0] for hook in road.store.state.webhooks.values()} == {
        "http://127.0.0.1:8"
    }


def test_paused_ones_are_told_of_and_left_alone(road: Road) -> None:
    next(iter(road.store.state.webhooks.values()))["status"] = "paused"
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert (gap.cause, gap.healed_at, gap.tried_at) == ("paused", None, None)
    assert "left alone" in gap.error
    next(iter(road.store.state.webhooks.values()))["status"] = "active"
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert gap.healed_at is not None


def test_a_store_that_refuses_is_asked_once_an_hour(road: Road) -> None:
    disable(road)
    road.store.faults.status(403, path=".*/webhooks", method="PUT")
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert gap.healed_at is None
    assert gap.error.startswith("It could not be healed: ")
    first = gap.tried_at
    clock_of(road).advance(minutes=30)
    webhook_gaps.tick(road.services)
    assert [each.tried_at for each in all_gaps(road)] == [first]
    with road.services.db.read() as session:
        assert [each.id for each in webhook_gaps.open_gaps(session, road.connector_id)] == [gap.id]
    road.store.faults.clear()
    clock_of(road).advance(minutes=31)
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert (gap.error, states(road)) == ("", {"active"})
    assert gap.healed_at is not None


def test_what_breaks_again_at_once_is_not_healed_for_ever(road: Road) -> None:
    disable(road)
    webhook_gaps.tick(road.services)
    disable(road)
    webhook_gaps.tick(road.services)
    assert len(all_gaps(road)) == 1
    assert states(road) == {"active", "disabled"}
    clock_of(road).advance(minutes=61)
    webhook_gaps.tick(road.services)
    assert [gap.healed_at is not None for gap in all_gaps(road)] == [True, True]
    assert states(road) == {"active"}


def poll(road: Road, *, minutes: int) -> None:
    """Let polling find an order that changed so many minutes ago."""
    road.arrive(road.order("ada@example.com"), origin="poll")
    now = road.services.clock.now()
    with road.services.db.write() as session:
        changed = now - timedelta(minutes=minutes)
        session.execute(update(Delivery).values(modified_at=changed, created_at=now))


def test_orders_that_only_polling_found_tell_of_silence(road: Road) -> None:
    poll(road, minutes=20)
    webhook_gaps.tick(road.services)
    (gap,) = all_gaps(road)
    assert gap.cause == "silent"
    assert "polling found 1 order " in gap.sentence
    assert gap.healed_at is not None
    webhook_gaps.tick(road.services)
    clock_of(road).advance(minutes=61)
    webhook_gaps.tick(road.services)
    assert len(all_gaps(road)) == 1, "what was found then is no new silence"


@pytest.mark.parametrize("case", ["young", "webhook came since", "webhook brought it", "hooks are newer"])
def test_no_silence_where_a_webhook_may_have_come(road: Road, case: str) -> None:
    poll(road, minutes=5 if case == "young" else 20)
    now = road.services.clock.now()
    with road.services.db.write() as session:
        if case == "webhook came since":
            session.get_one(Connector, road.connector_id).last_webhook_at = now - timedelta(minutes=15)
        if case == "webhook brought it":
            session.execute(update(Delivery).values(origin="webhook"))
        if case == "hooks are newer":
            session.execute(update(Delivery).values(modified_at=now - timedelta(hours=3)))
    webhook_gaps.tick(road.services)
    assert all_gaps(road) == []


def test_only_what_we_set_up_is_watched(road: Road) -> None:
    road.store.state.webhooks.clear()
    connectors.configure(road.services, road.connector_id, {"sync.webhooks": False})
    assert webhook_gaps.tick(road.services) == 0
    connectors.configure(road.services, road.connector_id, {"sync.webhooks": True})
    webhook_registration.remove(road.services, road.connector_id)
    assert webhook_gaps.tick(road.services) == 0
    assert all_gaps(road) == []
