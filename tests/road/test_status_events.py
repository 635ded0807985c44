"""Notes and e-mails follow events: an order that just reached its status, never one that was merely seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import Clock, SetClock
from integration.events import Origin
from integration.models import Connector
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.sandbox.mautic.seed import seed as seed_mautic
from tests.road.conftest import Road

STATUSES = "pending,processing,on-hold,completed,cancelled,refunded,failed,shipped"
NUMBERS = {"processing": 2, "completed": 1, "cancelled": 3, "shipped": 2}


def ago(**span: float) -> datetime:
    """Return a moment before now, by the machine's clock: the shop signs its answers with it."""
    return datetime.now(UTC) - timedelta(**span)


class Story:
    """A shop, its connector and what a shopkeeper does at which moment."""

    def __init__(self, road: Road) -> None:
        self.road = road

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let the shop's clock stand at a moment for what is done there."""
        self.road.store.state.clock = SetClock(moment)
        yield
        self.road.store.state.clock = Clock()

    def place(self, moment: datetime, status: str = "processing") -> int:
        with self.at(moment):
            return int(self.road.order("ada@example.com", status=status)["id"])

    def edit(self, moment: datetime, order: int, **fields: Any) -> None:
        with self.at(moment):
            self.road.store.shop.edit_order(order, **fields)

    def webhook(self, *orders: int) -> None:
        """Bring the orders as they are, and deliver."""
        self.hear(*(self.road.store.shop.shown(order) for order in orders))

    def hear(self, *shown: dict[str, Any]) -> None:
        for each in shown:
            self.road.arrive(each)
        self.road.work()

    def poll(self) -> None:
        assert self.road.run("incremental").state == "COMPLETED"

    def clock(self, moment: datetime) -> None:
        self.road.services.clock = SetClock(moment)

    @property
    def emails(self) -> list[int]:
        return sorted(each["email_id"] for each in self.road.mautic.state.sent)

    @property
    def notes(self) -> int:
        return len(self.road.mautic.state.notes)


@pytest.fixture
def story(make_road: Callable[..., Road]) -> Story:
    """A connector of 120 days, with e-mails and notes set from the beginning."""
    settings = {"orders__notes": True, "orders__create_fields": True, "orders__statuses": STATUSES}
    road = make_road(SetClock(ago(days=120)), **settings, orders__emails=NUMBERS)
    seed_mautic(road.mautic.state)
    road.mautic.state.notes.clear()
    road.services.clock = SetClock(ago(seconds=0))
    return Story(road)


META = {"meta_data": [{"key": "gift", "value": "yes"}]}


@pytest.mark.parametrize("status", ["completed", "processing", "cancelled", "shipped"])
def test_a_changed_field_of_an_order_of_last_year_sends_nothing(story: Story, status: str) -> None:
    order = story.place(ago(days=365), status)
    story.road.run("initial")
    notes = story.notes
    story.edit(ago(seconds=30), order, **META)
    story.webhook(order)
    assert (story.emails, story.notes, notes) == ([], 1, 1)


@pytest.mark.parametrize("status", ["completed", "processing", "cancelled", "refunded", "shipped", "on-hold"])
@pytest.mark.parametrize("by", ["webhook", "poll"])
def test_the_first_sighting_of_an_old_order_sends_nothing(story: Story, status: str, by: str) -> None:
    order = story.place(ago(days=365), status)
    story.edit(ago(seconds=30), order, **META)
    story.webhook(order) if by == "webhook" else story.poll()
    assert {each.state for each in story.road.deliveries()} == {"delivered"}
    assert (story.emails, story.notes) == ([], 0)


@pytest.mark.parametrize("status", ["completed", "processing", "cancelled", "shipped"])
@pytest.mark.parametrize("by", ["webhook", "poll", "both"])
def test_an_order_that_reaches_a_status_now_sends_one_e_mail(story: Story, status: str, by: str) -> None:
    order = story.place(ago(days=10), "on-hold")
    story.clock(ago(days=10))
    story.webhook(order)
    assert (story.emails, story.notes) == ([], 1)
    story.clock(ago(seconds=0))
    story.poll()
    story.edit(ago(seconds=0), order, status=status)
    if by != "poll":
        story.webhook(order)
    if by != "webhook":
        story.poll()
    assert (story.emails, story.notes) == ([NUMBERS[status]], 2)


def test_a_new_order_sends_one_e_mail_whoever_sees_it_first(story: Story) -> None:
    order = story.place(ago(seconds=20))
    shown = story.road.store.shop.shown(order)
    story.hear(shown, shown)
    story.poll()
    assert (story.emails, story.notes) == ([2], 1)


def test_a_status_that_is_set_again_sends_nothing_again(story: Story) -> None:
    order = story.place(ago(seconds=40), "completed")
    story.webhook(order)
    story.road.mautic.state.sent.clear()
    story.edit(ago(seconds=10), order, status="completed")
    story.webhook(order)
    story.poll()
    assert (story.emails, story.notes) == ([], 1)


def test_there_and_back_again_sends_each_status_once(story: Story) -> None:
    order = story.place(ago(minutes=9), "completed")
    story.webhook(order)
    for minutes, status in ((6, "processing"), (3, "completed")):
        story.edit(ago(minutes=minutes), order, status=status)
        story.webhook(order)
    assert story.emails == [1, 2]


def test_two_statuses_within_a_second_send_both_in_either_order(story: Story) -> None:
    order = story.place(ago(seconds=20))
    first = story.road.store.shop.shown(order)
    story.edit(ago(seconds=19), order, status="completed")
    story.hear(story.road.store.shop.shown(order), first)
    assert (story.emails, story.notes) == ([1, 2], 2)


@pytest.mark.parametrize("status", ["completed", "processing", "cancelled", "shipped"])
def test_a_poll_after_months_sends_nothing_for_what_happened_meanwhile(story: Story, status: str) -> None:
    story.clock(ago(days=95))
    order, untouched = story.place(ago(days=95), "on-hold"), story.place(ago(days=95), "on-hold")
    story.webhook(order, untouched)
    notes = story.notes
    story.clock(ago(seconds=0))
    story.edit(ago(days=60), order, status=status)
    story.edit(ago(hours=1), order, **META)
    fresh = story.place(ago(days=60), "completed")
    story.poll()
    assert story.road.store.shop.shown(fresh)["status"] == "completed"
    assert (story.emails, story.notes) == ([], notes)


def test_what_was_completed_just_now_is_an_event_even_after_months(story: Story) -> None:
    story.clock(ago(days=95))
    order = story.place(ago(days=95), "on-hold")
    story.webhook(order)
    story.clock(ago(seconds=0))
    story.edit(ago(hours=1), order, status="completed")
    story.poll()
    assert story.emails == [1]


@pytest.mark.parametrize("status", ["completed", "processing", "cancelled", "shipped"])
def test_an_hour_of_outage_loses_no_e_mail(story: Story, status: str) -> None:
    old = story.place(ago(days=9), "on-hold")
    story.clock(ago(hours=1))
    story.webhook(old)
    with_cursor(story, ago(hours=1))
    story.clock(ago(seconds=0))
    story.edit(ago(minutes=40), old, status=status)
    story.place(ago(minutes=30), status)
    story.poll()
    assert story.emails == [NUMBERS[status]] * 2


def with_cursor(story: Story, moment: datetime) -> None:
    """Let the last read of the store have begun at a moment."""
    with story.road.services.db.write() as session:
        row = session.get_one(Connector, story.road.connector_id)
        row.cursors = {**row.cursors, "orders": moment.isoformat()}


def test_an_outage_of_mautic_after_acceptance_loses_no_e_mail(story: Story) -> None:
    order = story.place(ago(hours=47), "completed")
    rule = story.road.mautic.faults.status(503, path="/")
    story.webhook(order)
    assert (story.emails, story.road.states()) == ([], {"ready"})
    story.road.mautic.faults.remove(rule)
    story.clock(ago(hours=-3))
    connectors.connect(story.road.services, story.road.connector_id)
    story.road.work()
    assert (story.emails, story.notes) == ([1], 1)


@pytest.mark.parametrize("origin", [Origin.INITIAL, Origin.FULL])
@pytest.mark.parametrize("by", ["webhook", "poll"])
@pytest.mark.parametrize("delivered", [True, False])
def test_an_import_that_sees_an_event_first_does_not_swallow_its_e_mail(
    story: Story, origin: Origin, by: str, delivered: bool
) -> None:
    order = story.place(ago(minutes=2), "completed")
    story.road.arrive(story.road.store.shop.shown(order), origin=origin)
    if delivered:
        story.road.work()
        assert (story.emails, story.notes) == ([], 1)
    story.webhook(order) if by == "webhook" else story.poll()
    story.webhook(order)
    assert (story.emails, story.notes) == ([1], 1)


def test_an_order_out_of_the_trash_reaches_no_status(story: Story) -> None:
    order = story.place(ago(days=365), "completed")
    story.road.run("initial")
    with story.at(ago(minutes=9)):
        story.road.store.shop.trash(order)
    story.poll()
    with story.at(ago(minutes=3)):
        story.road.store.shop.restore(order)
    story.webhook(order)
    assert (story.emails, story.notes) == ([], 1)


def test_a_mere_sighting_that_failed_leaves_nothing_when_it_is_sent_again(story: Story) -> None:
    order = story.place(ago(days=365), "completed")
    rules = [
        story.road.mautic.faults.status(400, path=path, body='{"errors":[{"code":400,"message":"No."}]}')
        for path in ("/api/contacts/batch", r"/api/contacts/\d+/edit|/api/contacts/new")
    ]
    story.webhook(order)
    [dead] = story.road.deliveries()
    assert dead.state == "dead"
    for rule in rules:
        story.road.mautic.faults.remove(rule)
    with story.road.services.db.write() as session:
        outbox.requeue(session, story.road.services.clock.now(), story.road.connector_id, [dead.id])
    story.road.work()
    assert (story.road.states(), story.emails, story.notes) == ({"delivered"}, [], 0)
