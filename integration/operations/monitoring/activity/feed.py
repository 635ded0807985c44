"""Merges the sources of the activity feed, each asked only for as many rows as a page holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal_column, select, union_all
from sqlalchemy.orm import Session

from integration.models.sql import Total, counted_upto
from integration.operations.monitoring.activity.event import Event
from integration.operations.monitoring.activity.minutes import MINUTES, Minutes
from integration.operations.monitoring.activity.moments import SOURCES, Changes, Source
from integration.operations.monitoring.activity.query import ActivityQuery


@dataclass(frozen=True)
class Feed:
    """A page of events, newest first, and how many there are on all pages.

    `older` is the place that the next page begins behind, "" at the end.
    """

    events: Sequence[Event]
    older: str = ""
    total: Total = Total(0)


def read(session: Session, query: ActivityQuery, *, whole: bool = False) -> Feed:
    """Return a page of the feed; `whole` adds who made a change and its diff, which only administrators may see."""
    if not query.connectors:
        return Feed([])
    horizon = _horizon(session, query)
    # No source goes beyond what another one has not looked at: the next page would begin behind it.
    near = query.model_copy(update={"horizon": horizon})
    found = sorted(_events(session, near, whole), key=lambda event: event.place.order)
    events = found[: query.size]
    more = len(found) > len(events) or horizon is not None
    return Feed(events, str(events[-1].place) if more else "", _total(session, query, horizon))


def _total(session: Session, query: ActivityQuery, horizon: datetime | None) -> Total:
    """Return how many events fit, on whatever page; the horizon is that of the query's page."""
    every = query.model_copy(update={"before": None})
    if query.before:
        horizon = _horizon(session, every)
    near = every.model_copy(update={"horizon": horizon})
    each = [rows for source in _wanted(query) for rows in _counted(source, near, every)]
    # In one question, which ends with the first source that brings too many.
    total = counted_upto(session, union_all(*each))
    return total._replace(exact=total.exact and horizon is None)


def _counted(source: Source | Minutes | Changes, near: ActivityQuery, every: ActivityQuery) -> Iterator[Select[Any]]:
    """Yield what selects one thing of each event: minutes only as far as a page looks, for the others are unknown."""
    if isinstance(source, Minutes):
        yield from (select(literal_column("1")).select_from(rows.subquery()) for rows in source.rows(near))
        return
    for rows in source.rows(every):
        yield rows.with_only_columns(literal_column("1"), maintain_column_froms=True)


def _wanted(query: ActivityQuery) -> list[Source | Minutes | Changes]:
    return [each for each in (*SOURCES, *MINUTES, Changes()) if query.wants(each.kind)]


def _horizon(session: Session, query: ActivityQuery) -> datetime | None:
    ends = (each.horizon(session, query) for each in MINUTES if query.wants(each.kind))
    return max((at for at in ends if at is not None), default=None)


def _events(session: Session, query: ActivityQuery, whole: bool) -> Iterator[Event]:
    for source in (*SOURCES, *MINUTES):
        if query.wants(source.kind):
            yield from source.read(session, query)
    if query.wants(Changes.kind):
        yield from Changes().read(session, query, whole=whole)
