"""From when on the store is read: from where the last read began, by the store's clock, and some time before.

A store's clock can be set. By how much it is ahead of ours is kept with each cursor, so that a step shows as a change
of that, also where the store's time has passed the cursor again by then:

- Set back, everything since the last read is dated earlier than the cursor. The cursor goes back by as much, and the
  next read begins there. What the clock had dated before lies in the store's future until that comes; it was read, and
  is not read again and again: reads end an hour beyond the store's present meanwhile, and no cursor lies behind that.
- Set ahead, nothing is dated before the cursor: what lies between is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integration.mapping import triggers
from integration.models.connector import Connector
from integration.pipeline.ingest import status_events, store_clock
from integration.store.dates import lenient
from integration.store.windows import Window
from integration.streams.carts import ANNOUNCE_WITHIN

#: Each read begins so much earlier than the last one did: the clock that PHP dates orders by may be minutes behind the
#: Date header of the web server, and an order may show up later than it is dated. What is met again is told by its
#: identity and dropped.
OVERLAP = timedelta(minutes=10)
#: So far beyond the store's present a read ends while what lies there was dated by a clock that was set back since.
BEYOND = timedelta(hours=1)
#: Where the store's clock was set back together with ours, as on one machine, nothing tells how long ago: so much is
#: read again.
UNKNOWN = timedelta(days=1)
#: A smaller step may be the time that an answer took, and the overlap stands for it.
STEP_MIN = timedelta(seconds=status_events.AHEAD_MIN_S)
ORDERS, PREVIOUS, DRAFTS, RECURRING = "orders", "previous", "drafts", "recurring"
#: Where a connector keeps that the next read takes what it meets though it was met before: what came between the step
#: of the store's clock and the read that noticed it may have been taken for older than what was known.
AGAIN = "again"
#: What the name of a cursor is followed by where it is kept by how many seconds the store's clock was ahead of ours.
_AHEAD = "_ahead_s"


@dataclass(frozen=True, slots=True)
class Step:
    """What a read says of the store's clock: where the next one begins, and by how much the clock was set back."""

    begin: datetime
    back: timedelta


def window(connector: Connector, now: datetime, which: str = ORDERS) -> Window:
    """Return the window of a read; what happened before the connector was made is an import's."""
    stored = _stored(connector, which)
    ahead = timedelta(seconds=_ahead_s(connector.cursors, ORDERS))
    floor = min(connector.created_at + ahead, stored)
    return _ending(connector, now + ahead, max(stored - OVERLAP, floor))


def of_drafts(connector: Connector, now: datetime) -> Window:
    """Return the window of unfinished orders: none that was too old to be announced when that was switched on."""
    on_since = triggers.since(triggers.CARTS, connector.triggers) or connector.created_at
    ahead = timedelta(seconds=_ahead_s(connector.cursors, DRAFTS))
    began = on_since + ahead - ANNOUNCE_WITHIN
    read = lenient(connector.cursors.get(DRAFTS))
    return _ending(connector, now + ahead, max(read - OVERLAP, min(began, read)) if read else began)


def of_recurring(connector: Connector, now: datetime) -> Window:
    """Return the window of subscriptions: from the beginning as long as none were read, so that switching on is all."""
    read = lenient(connector.cursors.get(RECURRING))
    ahead = timedelta(seconds=_ahead_s(connector.cursors, RECURRING))
    return _ending(connector, now + ahead, read - OVERLAP) if read else Window()


def moved(connector: Connector, now: datetime, began: datetime, read: Window, ahead_s: int) -> dict[str, Any]:
    """Return the cursors after the orders of a window were read, which began then by the store's clock.

    `ahead_s` is by how many seconds that clock was ahead of ours then. The trash still reads from where the read
    before began, or as much earlier as the clock was set back.
    """
    stored, step = _stored(connector, ORDERS), _step(connector, ORDERS, began, ahead_s)
    found = {PREVIOUS: min(stored, step.begin), AGAIN: bool(step.back), **_next(ORDERS, step, read, ahead_s)}
    until = store_clock.dated_until(connector)
    if step.back:
        until = max(filter(None, (until, stored + max(began - step.begin, OVERLAP))))
    found[store_clock.DATED_UNTIL] = until if until and until > now + timedelta(seconds=ahead_s) else None
    return {name: _written(value) for name, value in found.items()}


def one_moved(connector: Connector, which: str, began: datetime, read: Window, ahead_s: int) -> dict[str, Any]:
    """Return the cursor after unfinished orders or subscriptions of a window were read, as `moved` does."""
    found = _next(which, _step(connector, which, began, ahead_s), read, ahead_s)
    return {name: _written(value) for name, value in found.items()}


def set_back(connector: Connector, present: datetime, ahead_s: int) -> timedelta:
    """Return by how much the store's clock was set back since the last read of orders.

    `present` is its present and `ahead_s` by how many seconds it was ahead of ours then.
    """
    return _step(connector, ORDERS, present, ahead_s).back


def takes_again(connector: Connector) -> bool:
    """Return whether the read takes what it meets though it was met before."""
    return bool(connector.cursors.get(AGAIN))


def shifted(cursors: Mapping[str, Any], back: timedelta) -> dict[str, Any]:
    """Return the cursors after our own clock was set back: so much more the store's was ahead of ours at each read.

    Else the clock of a store on the same machine would go back unseen.
    """
    more = round(back.total_seconds())
    return {**cursors, **{f"{which}{_AHEAD}": _ahead_s(cursors, which) + more for which in (ORDERS, DRAFTS, RECURRING)}}


def _ending(connector: Connector, present: datetime, after: datetime) -> Window:
    """Return the window from then on; it ends where nothing but what a clock set back since had dated can lie."""
    until = store_clock.dated_until(connector)
    end = max(present, after) + BEYOND
    return Window(after, end if until is not None and end < until + OVERLAP else None)


def _step(connector: Connector, which: str, began: datetime, ahead_s: int) -> Step:
    """Return where the next read begins after one that began then by the store's clock."""
    stored = _stored(connector, which)
    back = timedelta(seconds=_ahead_s(connector.cursors, which) - ahead_s)
    if back < STEP_MIN:
        back = timedelta()
    if stored - began > max(back, OVERLAP):
        # Ours went back as well: the two alone cannot tell.
        return Step(began - UNKNOWN, stored - began)
    return Step(min(began, stored - back), back) if back > timedelta() else Step(began, timedelta())


def _next(which: str, step: Step, read: Window, ahead_s: int) -> dict[str, Any]:
    """Return a cursor, which never goes beyond what was read."""
    begin = min(step.begin, read.before) if read.before else step.begin
    return {which: begin, f"{which}{_AHEAD}": ahead_s}


def _ahead_s(cursors: Mapping[str, Any], which: str) -> int:
    """Return by how much the store's clock was ahead of ours at the last read; before the first one it is ours."""
    before = cursors.get(status_events.AHEAD) if which in cursors else 0
    return int(cursors.get(f"{which}{_AHEAD}", before) or 0)


def _stored(connector: Connector, which: str) -> datetime:
    stored = connector.cursors.get(which) or connector.cursors.get(ORDERS)
    return lenient(stored) or connector.created_at


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
