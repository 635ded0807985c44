"""Merges the sources of the activity feed, each asked only for as many rows as a page holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, Integer, Row, Select, bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.models.sql import Total, number_upto
from integration.operations.monitoring.activity import minutes
from integration.operations.monitoring.activity.event import Event, FeedPosition
from integration.operations.monitoring.activity.form import ROWS, Form, minute_of, values_of
from integration.operations.monitoring.activity.minutes import MINUTES, Minutes
from integration.operations.monitoring.activity.moments import SOURCES, Changes, Source
from integration.operations.monitoring.activity.query import ActivityQuery

#: Pages differ in what is filtered, in how many connectors they are about, and in where they begin.
_FORMS_KEPT = 200
#: So many connectors are asked about in one question: it has four parts for each, and SQLite takes 500 in all.
CONNECTORS_AT_ONCE = 50
_EVERY: tuple[Source | Minutes | Changes, ...] = (*SOURCES, *MINUTES, Changes())
_BY_RANK = {each.rank: each for each in _EVERY}


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
    found = [row for part in _parts(near) for row in session.execute(_newest(Form.of(part)), values_of(part))]
    shown = sorted(found, key=lambda row: (row.at, -row.rank, row.id), reverse=True)[: query.size]
    more = shown and (len(found) > len(shown) or horizon is not None)
    older = str(_place(shown[-1])) if more else ""
    return Feed(list(_events(session, shown, whole)), older, _total(session, query, horizon))


def _total(session: Session, query: ActivityQuery, horizon: datetime | None) -> Total:
    """Return how many events fit, on whatever page; the horizon is that of the query's page."""
    every = query.model_copy(update={"before": None})
    if query.before:
        horizon = _horizon(session, every)
    near = every.model_copy(update={"horizon": horizon})
    numbers = (session.scalar(_number(Form.of(part)), values_of(part)) or 0 for part in _parts(near))
    total = Total.upto(sum(numbers))
    return total._replace(exact=total.exact and horizon is None)


def _horizon(session: Session, query: ActivityQuery) -> datetime | None:
    """Return the begin of the oldest minute that a page looks at, None where it looks at all there are."""
    if not any(Form.of(query).wants(each.kind) for each in MINUTES):
        return None
    moments: dict[tuple[int, int], list[datetime]] = defaultdict(list)
    for part in _parts(query):
        values = {**values_of(part), "looked_at": minutes.LOOKED_AT_MAX - 1}
        for key, at in session.execute(_ends(Form.of(part)), values).tuples():
            moments[part.connectors[0], key].append(at)
    return max((minute_of(max(ends)) for ends in moments.values() if len(ends) > 1), default=None)


def _parts(query: ActivityQuery) -> Iterator[ActivityQuery]:
    """Yield the query for some of the connectors after the others; what is of none of them belongs to the first."""
    if len(query.connectors) <= CONNECTORS_AT_ONCE:
        yield query
        return
    for start in range(0, len(query.connectors), CONNECTORS_AT_ONCE):
        some = query.connectors[start : start + CONNECTORS_AT_ONCE]
        yield query.model_copy(update={"connectors": some, "scope": "this" if start else query.scope})


# -- statements, each made once for all pages of a form -------------------------------------------------------------


@lru_cache(maxsize=_FORMS_KEPT)
def _newest(form: Form) -> Select[Any]:
    """Select the places of the newest events of all sources, and of one more than the page shows."""
    each = [select(rows.subquery()) for source in _wanted(form) for rows in source.newest(form)]
    found = union_all(*each).subquery()
    return select(found).order_by(found.c.at.desc(), found.c.rank, found.c.id.desc()).limit(ROWS)


@lru_cache(maxsize=_FORMS_KEPT)
def _number(form: Form) -> Select[tuple[int]]:
    """Select how many events there are; it ends with the first source that brings too many."""
    return number_upto(union_all(*(rows for source in _wanted(form) for rows in _counted(source, form))))


def _counted(source: Source | Minutes | Changes, form: Form) -> Iterator[Select[Any]]:
    """Yield what selects one thing of each event: minutes only as far as a page looks, for the others are unknown."""
    if isinstance(source, Minutes):
        yield from (select(literal_column("1")).select_from(rows.subquery()) for rows in source.rows(form))
        return
    for rows in source.rows(replace(form, horizon=False)):
        yield rows.with_only_columns(literal_column("1"), maintain_column_froms=True)


@lru_cache(maxsize=_FORMS_KEPT)
def _ends(form: Form) -> CompoundSelect[tuple[int, datetime]]:
    """Select how far each source that is counted by the minute is looked at, with the place of source and connector."""
    ends = [rows.subquery() for each in MINUTES if form.wants(each.kind) for rows in each.looked_at(form)]
    return union_all(*(select(literal_column(str(place), Integer), end.c.at) for place, end in enumerate(ends)))


def _wanted(form: Form) -> list[Source | Minutes | Changes]:
    return [each for each in _EVERY if form.wants(each.kind)]


@cache
def _rows_of(model: Any) -> Select[Any]:
    """Select the rows of a table that the events of a page are about; of deliveries only what they failed for."""
    columns = (Delivery.id, Delivery.error) if model is Delivery else (model.id, model)
    return select(*columns).where(among(model.id, bindparam("ids"))).limit(ROWS)


# -- events ---------------------------------------------------------------------------------------------------------


def _events(session: Session, places: Sequence[Row[Any]], whole: bool) -> Iterator[Event]:
    known = _known(session, places)
    for row in places:
        source, place = _BY_RANK[row.rank], _place(row)
        about = known[source.model].get(row.id)
        if isinstance(source, Minutes):
            yield source.event(place, row, about or "")
        elif isinstance(source, Changes) and about is not None:
            yield source.event(place, about, whole=whole)
        elif isinstance(source, Source) and about is not None:
            yield source.event(place, about)


def _known(session: Session, places: Sequence[Row[Any]]) -> dict[Any, dict[int, Any]]:
    """Return what the events are about by table and id; what was deleted since is not in it."""
    ids: dict[Any, set[int]] = defaultdict(set)
    for row in places:
        ids[_BY_RANK[row.rank].model].add(row.id)
    return {
        model: dict(session.execute(_rows_of(model), {"ids": sorted(wanted), "rows": len(wanted)}).tuples().all())
        for model, wanted in ids.items()
    }


def _place(row: Row[Any]) -> FeedPosition:
    return FeedPosition(row.at, row.rank, row.id)
