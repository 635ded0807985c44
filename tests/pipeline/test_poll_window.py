"""A poll loses nothing and reads little twice, however the clocks of the store and of this machine are set."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from integration.models import Connector
from integration.pipeline.ingest import status_events
from integration.pipeline.runs import poll_window
from integration.pipeline.runs.poll_window import BEYOND, OVERLAP, UNKNOWN
from integration.store.windows import Window
from tests.conftest import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass
class Shop:
    """A shop and its connector in true time; `theirs` and `ours` are by how much the two clocks are wrong."""

    true: datetime = NOON
    theirs: timedelta = timedelta()
    ours: timedelta = timedelta()
    #: What happened: number -> the store's date; and how often each was read.
    dates: dict[int, datetime] = field(default_factory=dict)
    read: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connector = Connector(created_at=self.now, cursors={}, triggers={})

    @property
    def now(self) -> datetime:
        return self.true + self.ours

    @property
    def theirs_now(self) -> datetime:
        return (self.true + self.theirs).replace(microsecond=0)

    def wait(self, span: timedelta) -> None:
        self.true += span

    def change(self) -> int:
        number = len(self.dates)
        self.dates[number] = self.theirs_now
        return number

    def set_ours_back(self, span: timedelta) -> None:
        """Our clock goes back, and the process that lives notices it (engines.clock_steps)."""
        self.ours -= span
        self.connector.cursors = poll_window.shifted(self.connector.cursors, span)

    def poll(self) -> Window:
        window = poll_window.window(self.connector, self.now)
        assert window.after is not None
        for number, at in self.dates.items():
            if window.after - SECOND < at and (window.before is None or at < window.before):
                self.read[number] = self.read.get(number, 0) + 1
        ahead_s = status_events.seconds_ahead(self.theirs_now, self.now)
        moved = poll_window.moved(self.connector, self.now, self.theirs_now, window, ahead_s)
        self.connector.cursors = {**self.connector.cursors, **moved, status_events.AHEAD: ahead_s}
        return window

    def missed(self) -> set[int]:
        return set(self.dates) - set(self.read)


def polled(shop: Shop, polls: int = 1, every: timedelta = 5 * MINUTE) -> Shop:
    for _ in range(polls):
        shop.wait(every)
        shop.poll()
    return shop


@pytest.mark.parametrize("back", [11 * MINUTE, HOUR, DAY, 400 * DAY])
def test_what_changes_after_the_stores_clock_was_set_back_comes_with_the_next_polls(back: timedelta) -> None:
    shop = polled(Shop(theirs=back), 3)
    shop.change()
    shop.wait(MINUTE)
    shop.theirs = timedelta()
    shop.change()
    polled(shop, 2)
    assert shop.missed() == set()


def test_it_does_although_the_stores_time_has_passed_the_cursor_again() -> None:
    """Nobody polled for half a day, and the clock was set back by an hour right after the last poll."""
    shop = polled(Shop(theirs=HOUR), 3)
    shop.theirs = timedelta()
    shop.wait(MINUTE)
    shop.change()
    shop.wait(12 * HOUR)
    polled(shop, 2)
    assert shop.missed() == set()


@pytest.mark.parametrize("behind", [HOUR, DAY])
def test_a_store_behind_us_is_read_from_the_connectors_beginning(behind: timedelta) -> None:
    shop = Shop(theirs=-behind)
    shop.wait(MINUTE)
    shop.change()
    polled(shop, 2)
    assert shop.missed() == set()


@pytest.mark.parametrize("noticed", [True, False])
def test_a_store_on_our_machine_goes_back_with_us(noticed: bool) -> None:
    shop = polled(Shop(theirs=DAY, ours=DAY), 3)
    shop.theirs = timedelta()
    shop.set_ours_back(DAY) if noticed else setattr(shop, "ours", timedelta())
    shop.wait(MINUTE)
    shop.change()
    polled(shop, 2)
    assert shop.missed() == set()
    began = datetime.fromisoformat(shop.connector.cursors["orders"])
    assert shop.theirs_now - began < (5 * MINUTE if noticed else UNKNOWN)


def test_a_day_that_was_dated_ahead_is_not_read_at_each_poll_until_it_comes() -> None:
    shop = polled(Shop(theirs=DAY))
    for _ in range(24 * 12):
        shop.change()
        polled(shop)
    shop.theirs = timedelta()
    polled(shop, 2)
    before = sum(shop.read.values())
    windows = []
    for _ in range(12 * 12):
        shop.wait(5 * MINUTE)
        windows.append(shop.poll())
    # What lies within the hour beyond the present, and the overlap before it: no more than that at any poll.
    most = (BEYOND + OVERLAP) / (5 * MINUTE) + 3
    assert sum(shop.read.values()) - before <= most * len(windows)
    polled(shop, 13 * 12)
    assert poll_window.window(shop.connector, shop.now).before is None
    assert shop.connector.cursors["dated_until"] is None


@pytest.mark.parametrize("ahead", [2 * HOUR, DAY, 400 * DAY])
def test_a_clock_that_jumps_ahead_loses_nothing_and_reads_what_lies_between_once(ahead: timedelta) -> None:
    shop = polled(Shop(), 3)
    shop.change()
    shop.theirs = ahead
    shop.change()
    polled(shop, 3)
    shop.change()
    polled(shop, 20)
    assert shop.missed() == set()
    assert max(shop.read.values()) <= 3


@pytest.mark.parametrize("step", [-DAY, -2 * HOUR, 2 * HOUR, DAY])
def test_our_own_clock_may_be_set_either_way(step: timedelta) -> None:
    shop = polled(Shop(), 3)
    shop.change()
    shop.ours = step
    shop.change()
    polled(shop, 3)
    shop.change()
    polled(shop, 2)
    assert shop.missed() == set()


def test_our_clock_that_was_ahead_when_the_connector_was_made_loses_nothing() -> None:
    shop = Shop(ours=DAY)
    shop.wait(MINUTE)
    shop.change()
    shop.set_ours_back(DAY)
    polled(shop, 2)
    assert shop.missed() == set()


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_lost_among_any_steps_of_both_clocks(seed: int) -> None:
    """Every change is read at last; what came after the last step with the second poll.

    Between two steps of the store's clock lies a poll: one that goes back and forth meanwhile leaves no trace.
    """
    chance = random.Random(seed)
    steps = [11 * MINUTE, 50 * MINUTE, 3 * HOUR, DAY]
    shop = Shop(theirs=chance.choice([timedelta(), HOUR, -HOUR, DAY]), ours=chance.choice([timedelta(), HOUR]))
    for _ in range(120):
        act = chance.choice(["change", "poll", "poll", "wait", "theirs", "ours back", "ours ahead"])
        if act == "change":
            shop.change()
        elif act == "poll":
            shop.poll()
        elif act == "wait":
            shop.wait(chance.choice([MINUTE, 20 * MINUTE, 5 * HOUR]))
        elif act == "theirs":
            shop.poll()
            shop.theirs += chance.choice(steps) * chance.choice([1, -1])
        elif act == "ours back":
            shop.set_ours_back(chance.choice(steps))
        else:
            shop.ours += chance.choice(steps)
    late = shop.change()
    polled(shop, 2)
    assert late in shop.read
    polled(shop, 40 * 24, HOUR)
    assert shop.missed() == set()


def test_a_second_more_or_less_is_no_step() -> None:
    shop = polled(Shop(theirs=-HOUR), 3)
    for _ in range(10):
        shop.theirs -= SECOND
        polled(shop)
        assert (shop.connector.cursors["again"], shop.connector.cursors["orders"]) == (
            False,
            shop.theirs_now.isoformat(),
        )


def test_cursors_of_a_version_before_say_what_the_last_poll_measured() -> None:
    connector = Connector(created_at=NOON, triggers={}, cursors={})
    connector.cursors = {"orders": (NOON + DAY).isoformat(), status_events.AHEAD: 86_400}
    moved = poll_window.moved(connector, NOON + MINUTE, NOON + MINUTE, Window(NOON + DAY, None), 0)
    assert datetime.fromisoformat(moved["orders"]) == NOON
    assert (moved["again"], moved["orders_ahead_s"], NOON.tzinfo) == (True, 0, UTC)
