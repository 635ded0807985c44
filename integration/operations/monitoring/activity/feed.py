"""Merges the sources of the activity feed, each asked only for as many rows as a page holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from integration.models.sql import COUNTED_ROWS_MAX, Total, counted_upto
from integration.operations.monitoring.activity.event import Event
from integration.operations.monitoring.activity.minutes import MINUTES, Minutes
from integration.operations.monitoring.activity.moments import SOURCES, Changes
from integration.operations.monitoring.activity.query import ActivityQuery


@dataclass(frozen=True)
class Feed:
    """A page of events, newest first; `older` is the place that the next page begins behind, "" at the end."""

    events: Sequence[Event]
    older: str = ""


def read(session: Session, query: ActivityQuery, *, whole: bool = False) -> Feed:
    """Return a page of the feed; `whole` adds who made a change and its diff, which only administrators may see."""
    if not query.connectors:
        return Feed([])
    found = sorted(_events(session, query, whole), key=lambda event: event.place.order)
    events = found[: query.size]
    return Feed(events, str(events[-1].place) if len(found) > len(events) else "")


def count(session: Session, query: ActivityQuery) -> Total:
    """Return how many events fit, on whatever page."""
    whole = query.model_copy(update={"before": None})
    sources = [each for each in (*SOURCES, *MINUTES, Changes()) if whole.wants(each.kind) and whole.connectors]
    found = 0
    cut = any(each.is_cut(session, whole) for each in sources if isinstance(each, Minutes))
    for rows in (rows for each in sources for rows in each.rows(whole)):
        found += counted_upto(session, rows, COUNTED_ROWS_MAX + 1).number
        if found > COUNTED_ROWS_MAX:
            break
    total = Total.upto(found)
    return total._replace(exact=total.exact and not cut)


def _events(session: Session, query: ActivityQuery, whole: bool) -> Iterator[Event]:
    for source in (*SOURCES, *MINUTES):
        if query.wants(source.kind):
            yield from source.read(session, query)
    if query.wants(Changes.kind):
        yield from Changes().read(session, query, whole=whole)
