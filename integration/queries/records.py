"""Reads lists of records and their figures: by indexes and hourly counts only, whatever their number (A1 to A4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.models.attempt import Attempt
from integration.models.counts import RecordCount
from integration.models.delivery import Delivery
from integration.models.sql import COUNTED_ROWS_MAX, Total, begins, hour_of
from integration.pipeline.outbox.states import OPEN, owned
from integration.queries import record_statuses
from integration.queries.record_filters import RecordQuery
from integration.queries.record_statuses import STATUSES

_HOUR = timedelta(hours=1)
#: Ids follow the times of acceptance, but for writers that committed out of turn.
_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of the records that match stand where; `exact` False means that there are more than these."""

    success: int = 0
    partial: int = 0
    failed: int = 0
    open: int = 0
    skipped: int = 0
    conflict: int = 0
    closed: int = 0
    discarded: int = 0
    exact: bool = True

    @property
    def total(self) -> int:
        """Return how many there are."""
        return sum(getattr(self, name) for name in _STATES)

    @property
    def found(self) -> Total:
        """Return how many there are, as lists say it."""
        return Total(self.total, self.exact)

    @property
    def rate(self) -> float | None:
        """Return success / (success + partial + failed) in percent, None while nothing has ended."""
        finished = self.success + self.partial + self.failed
        return 100 * self.success / finished if finished else None

    def __add__(self, other: Figures) -> Figures:
        sums = {name: getattr(self, name) + getattr(other, name) for name in _STATES}
        return Figures(**sums, exact=self.exact and other.exact)


_STATES = tuple(field.name for field in fields(Figures) if field.name != "exact")
_FIGURE = {"delivered": "success", "dead": "failed"}


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of records, newest first; `older` is the id to go on from, None at the end."""

    records: Sequence[Delivery]
    figures: Figures
    older: int | None


def read_page(session: Session, query: RecordQuery) -> RecordPage:
    """Return the page that a query asks for, with the figures of all records that match."""
    records = rows(session, query)
    figures = sum((_figures(session, query.of(key)) for key in query.connector_ids), Figures())
    more = len(records) > query.limit
    shown = records[: query.limit]
    return RecordPage(shown, figures, shown[-1].id if more else None)


def rows(session: Session, query: RecordQuery) -> list[Delivery]:
    """Return the records that match, newest first, and one more than the limit when there are more."""
    found: list[int] = []
    for connector_id in query.connector_ids:
        # A connector at a time: the indexes begin with the connector, and each gives its own newest first.
        found += session.scalars(_ids(session, query.of(connector_id))).all()
    newest = sorted(found, reverse=True)[: query.limit + 1]
    chosen = select(Delivery).where(Delivery.id.in_(newest)).order_by(Delivery.id.desc())
    return list(session.scalars(chosen))


def ids_of(session: Session, query: RecordQuery, most: int) -> list[int]:
    """Return the ids of the newest records that match, whatever page the query is about, `most` at most, ascending."""
    (connector_id,) = query.connector_ids
    whole = query.of(connector_id).model_copy(update={"before": 0, "limit": most - 1})
    return sorted(session.scalars(_ids(session, whole)))


def _ids(session: Session, query: RecordQuery) -> Any:
    where = conditions(session, query)
    if query.before:
        where.append(Delivery.id < query.before)
    return select(Delivery.id).where(and_(*where)).order_by(*_order(query)).limit(query.limit + 1)


def _order(query: RecordQuery) -> tuple[Any, ...]:
    """Return an order that the index of the query's filter gives, so that no other one is walked to its end."""
    if query.run:
        return Delivery.run_id.desc(), Delivery.id.desc()
    # A sum is given by no index: what is found by a small one is sorted.
    found = query.source or query.email or query.person_key or query.batch or _is_rare(query)
    return ((Delivery.id + 0).desc(),) if found else (Delivery.id.desc(),)


def _is_rare(query: RecordQuery) -> bool:
    return bool(query.status) and record_statuses.is_rare(query.status)


def conditions(session: Session, query: RecordQuery) -> list[ColumnElement[bool]]:
    """Return the conditions of a query that is about one connector."""
    (connector_id,) = query.connector_ids
    small = _is_rare(query) or bool(query.run)
    found = [owned(connector_id) if small else Delivery.connector_id == connector_id]
    if query.kind:
        found.append(Delivery.kind == query.kind)
    if query.status:
        found.append(record_statuses.condition(query.status))
    if query.operation:
        found += [Delivery.result == query.operation, Delivery.settled_at.is_not(None)]
    if query.email or query.person_key:
        found.append(Delivery.person_key == (query.person_key or person_key_of(query.email)))
    if query.run:
        found.append(Delivery.run_id == query.run)
    if query.source:
        found.append(Delivery.id.in_(_of_source(session, connector_id, query.source)))
    if query.batch:
        found.append(Delivery.id.in_(_of_batch(session, connector_id, query)))
    return found + _between(session, query)


def _of_source(session: Session, connector_id: int, source: str) -> Sequence[int]:
    """Return the newest records whose number or id begins with a text, by the two indexes."""
    ids: set[int] = set()
    for column in (Delivery.number, Delivery.source_id):
        query = select(Delivery.id).where(Delivery.connector_id == connector_id, begins(session, column, source))
        ids |= set(session.scalars(query.order_by((Delivery.id + 0).desc()).limit(COUNTED_ROWS_MAX // 2)))
    return sorted(ids)


def _of_batch(session: Session, connector_id: int, query: RecordQuery) -> Sequence[int]:
    ids = select(Attempt.delivery_id).where(
        Attempt.connector_id == connector_id, Attempt.at >= query.batch, Attempt.at < query.batch_end
    )
    return session.scalars(ids.limit(COUNTED_ROWS_MAX)).all()


def _between(session: Session, query: RecordQuery) -> list[ColumnElement[bool]]:
    """Return the bounds of time, and of ids so that no index has to be walked from its end."""
    found: list[ColumnElement[bool]] = []
    if query.since:
        found += [Delivery.created_at >= query.since, Delivery.id >= _edge(session, query, query.since - _SLACK)]
    if query.until:
        found += [Delivery.created_at < query.until, Delivery.id <= _edge(session, query, query.until + _SLACK)]
    return found


def _edge(session: Session, query: RecordQuery, at: datetime) -> int:
    """Return the id of the first record from a moment on, one that is never reached when there is none."""
    mine = and_(Delivery.connector_id == query.connector_ids[0], Delivery.created_at >= at)
    first = select(Delivery.id).where(mine).order_by(Delivery.created_at, Delivery.id).limit(1)
    return session.scalar(first) or 2**62


# -- figures --------------------------------------------------------------------------------------------------------


def _figures(session: Session, query: RecordQuery) -> Figures:
    if query.by_rows:
        return _by_rows(session, query)
    return _by_counts(session, query) + _by_edges(session, query)


def _by_counts(session: Session, query: RecordQuery) -> Figures:
    """Add up the hours that lie wholly within the dates."""
    where: list[ColumnElement[bool]] = [RecordCount.connector_id == query.connector_ids[0]]
    if query.kind:
        where.append(RecordCount.kind == query.kind)
    if query.operation:
        where.append(RecordCount.result == query.operation)
    if query.status:
        where.append(RecordCount.state == STATUSES[query.status].counted)
    if query.since:
        where.append(RecordCount.hour >= _next_hour(query.since))
    if query.until:
        where.append(RecordCount.hour < hour_of(query.until))
    sums = select(RecordCount.state, func.sum(RecordCount.records)).where(and_(*where)).group_by(RecordCount.state)
    return _named(dict(session.execute(sums).tuples().all()))


def _by_edges(session: Session, query: RecordQuery) -> Figures:
    """Count the rows of the part hours at both ends."""
    found = Figures()
    for edge in {hour_of(at) for at in (query.since, query.until) if at and at != hour_of(at)}:
        where = [
            *conditions(session, query),
            Delivery.created_at >= edge,
            Delivery.created_at < edge + _HOUR,
        ]
        found += _counted(session, select(Delivery.id).where(and_(*where)), None)
    return found


def _by_rows(session: Session, query: RecordQuery) -> Figures:
    ids = select(Delivery.id).where(and_(*conditions(session, query)))
    return _counted(session, ids.order_by(*_order(query)), COUNTED_ROWS_MAX)


def _counted(session: Session, ids: Any, most: int | None) -> Figures:
    few = ids.limit(most + 1).subquery() if most else ids.subquery()
    state = case((OPEN, "open"), (Delivery.partial, "partial"), else_=Delivery.state).label("counted")
    grouped = select(state, func.count()).where(Delivery.id.in_(select(few.c.id))).group_by(state)
    found = _named(dict(session.execute(grouped).tuples().all()))
    exact = most is None or found.total <= most
    return found if exact else found + Figures(exact=False)


def _named(counts: dict[str, int]) -> Figures:
    figures: dict[str, Any] = {_FIGURE.get(state, state): int(number) for state, number in counts.items()}
    return Figures(**figures)


def _next_hour(at: datetime) -> datetime:
    return at if at == hour_of(at) else hour_of(at) + _HOUR
