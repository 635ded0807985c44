"""Reads lists of records and their figures: by indexes and hourly counts only, whatever their number (A1 to A4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, and_, bindparam, case, func, select
from sqlalchemy.orm import Session, load_only

from integration.identity import person_key_of
from integration.models.attempt import Attempt
from integration.models.counts import RecordCount
from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.models.sql import COUNTED_ROWS_MAX, Total, by_index, counted_upto, hour_of, keeping_order
from integration.pipeline.outbox.record_numbers import NUMBERED_AT_MOST, NUMBERED_ROWS_MAX, beginning
from integration.pipeline.outbox.states import OPEN
from integration.queries import record_indexes, record_statuses
from integration.queries.record_filters import RecordQuery
from integration.queries.record_statuses import STATUSES

_HOUR = timedelta(hours=1)
_SHOWN = (
    *(Delivery.id, Delivery.connector_id, Delivery.run_id, Delivery.kind, Delivery.source_id, Delivery.number),
    *(Delivery.event, Delivery.state, Delivery.result, Delivery.partial, Delivery.contact_id, Delivery.lease_token),
    *(Delivery.category, Delivery.error_code, Delivery.error, Delivery.discard_reason, Delivery.attempts),
    *(Delivery.former_attempts, Delivery.failures, Delivery.failing_since, Delivery.due_at, Delivery.created_at),
    *(Delivery.started_at, Delivery.settled_at, Delivery.died_at),
)
_LISTED = (
    select(Delivery)
    .options(load_only(*_SHOWN, raiseload=True))
    .where(among(Delivery.id, bindparam("ids")))
    .order_by(Delivery.id.desc())
)
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
    """One page of records, newest first; `older` is the id to go on from, None at the end.

    `notices` tell of what not all was looked through.
    """

    records: Sequence[Delivery]
    figures: Figures
    older: int | None
    notices: Sequence[str] = ()


def read_page(session: Session, query: RecordQuery) -> RecordPage:
    """Return the page that a query asks for, with the figures of all records that match."""
    if query.source:
        return _of_numbers(session, query)
    figures = sum((_figures(session, query.of(key)) for key in query.connector_ids), Figures())
    # Of what the counts know that there is none nobody has to look for a row: it would be looked for to the end.
    return _page(session, query, figures, _newest(session, query) if figures.total else [])


def _page(session: Session, query: RecordQuery, figures: Figures, ids: Sequence[int]) -> RecordPage:
    """Return the page of the newest of some records."""
    newest = sorted(ids, reverse=True)[: query.limit + 1]
    records = listed(session, newest)
    shown = records[: query.limit]
    return RecordPage(shown, figures, shown[-1].id if len(records) > query.limit else None)


def listed(session: Session, ids: Sequence[int]) -> Sequence[Delivery]:
    """Return records as lists show them, newest first: without what was to be sent, which may be long."""
    return session.scalars(_LISTED, {"ids": ids}).all() if ids else []


def _newest(session: Session, query: RecordQuery) -> list[int]:
    """Return the ids of the newest records that match, of each connector one more than a page has."""
    found: list[int] = []
    for connector_id in query.connector_ids:
        # A connector at a time: the indexes begin with the connector, and each gives its own newest first.
        found += session.scalars(_ids(session, query.of(connector_id))).all()
    return found


def _of_numbers(session: Session, query: RecordQuery) -> RecordPage:
    """Return the page of a query for the beginning of a number: what that finds is looked at once for all of it."""
    figures, ids, notices = Figures(), list[int](), dict[str, None]()
    for connector_id in query.connector_ids:
        named = beginning(session, connector_id, query.source)
        part = query.of(connector_id)
        where = [*conditions(session, part.model_copy(update={"source": ""})), among(Delivery.id, named.ids)]
        rows = _sought(part, where).add_columns(_counted_as()).order_by(*_order(part)).limit(NUMBERED_AT_MOST)
        found = session.execute(rows).tuples().all()
        exact = len(found) <= NUMBERED_ROWS_MAX and not named.notices
        figures += _named(Counter(state for _, state in found[:NUMBERED_ROWS_MAX])) + Figures(exact=exact)
        ids += [number for number, _ in found if not query.before or number < query.before]
        notices |= dict.fromkeys(named.notices)
    return replace(_page(session, query, figures, ids), notices=list(notices))


def ids_of(session: Session, query: RecordQuery, most: int) -> list[int]:
    """Return the ids of the newest records that match, whatever page the query is about, `most` at most, ascending."""
    (connector_id,) = query.connector_ids
    whole = query.of(connector_id).model_copy(update={"before": 0, "limit": most - 1})
    return sorted(session.scalars(_ids(session, whole)))


def _ids(session: Session, query: RecordQuery) -> Any:
    where = conditions(session, query)
    if query.before:
        where.append(Delivery.id < query.before)
    return _sought(query, where).order_by(*_order(query)).limit(query.limit + 1)


def _sought(query: RecordQuery, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return what selects ids by the index that tells most of the query's filters apart."""
    ids, name = select(Delivery.id).where(and_(*where)), record_indexes.of(query)
    return by_index(ids, Delivery, name) if name else ids


def _order(query: RecordQuery) -> tuple[Any, ...]:
    """Return an order that the index of the query's filter gives, so that no other one is walked to its end."""
    if query.source or query.batch or query.status in record_indexes.UNORDERED:
        # A sum is given by no index: what is found by a small one is sorted.
        return ((Delivery.id + 0).desc(),)
    last = record_indexes.last_column(query)
    return (getattr(Delivery, last).desc(), Delivery.id.desc()) if last else (Delivery.id.desc(),)


def conditions(session: Session, query: RecordQuery) -> list[ColumnElement[bool]]:
    """Return the conditions of a query that is about one connector."""
    (connector_id,) = query.connector_ids
    equal = {"connector_id": connector_id, "kind": query.kind, "result": query.operation, "run_id": query.run}
    equal["person_key"] = query.person_key or (person_key_of(query.email) if query.email else "")
    last = record_indexes.last_column(query)
    found = [
        keeping_order(session, column, value) if name == last else column == value
        for name, value in equal.items()
        if value
        for column in [getattr(Delivery, name)]
    ]
    if query.status:
        ordered = last == "state"
        found.append(
            record_statuses.in_order(session, query.status) if ordered else record_statuses.condition(query.status)
        )
        found += [Delivery.settled_at.is_not(None)] if record_indexes.of(query) == "ix_delivery_run_state" else []
    if query.operation:
        found.append(Delivery.settled_at.is_not(None))
    if query.source:
        found.append(among(Delivery.id, beginning(session, connector_id, query.source).ids))
    if query.batch:
        found.append(among(Delivery.id, _of_batch(session, connector_id, query)))
    return found + _between(session, query)


def _of_batch(session: Session, connector_id: int, query: RecordQuery) -> Sequence[int]:
    ids = select(Attempt.delivery_id).where(
        Attempt.connector_id == connector_id, Attempt.at >= query.batch, Attempt.at < query.batch_end
    )
    return session.scalars(ids.limit(COUNTED_ROWS_MAX)).all()


def _between(session: Session, query: RecordQuery) -> list[ColumnElement[bool]]:
    """Return the bounds of time, and of ids so that no index has to be walked from its end."""
    found: list[ColumnElement[bool]] = []
    if query.since:
        edge = first_id(session, query.connector_ids[0], query.since - _SLACK)
        found += [Delivery.created_at >= query.since, Delivery.id >= edge]
    if query.until:
        found += [Delivery.created_at < query.until, came_before(session, query.connector_ids[0], query.until)]
    return found


def came_before(session: Session, connector_id: int, at: datetime) -> ColumnElement[bool]:
    """Return the condition on ids that holds for all records that came before a moment, and for few others."""
    return Delivery.id <= first_id(session, connector_id, at + _SLACK)


def first_id(session: Session, connector_id: int, at: datetime) -> int:
    """Return the id of the first record from a moment on, one that is never reached when there is none."""
    mine = and_(Delivery.connector_id == connector_id, Delivery.created_at >= at)
    first = select(Delivery.id).where(mine).order_by(Delivery.created_at, Delivery.id).limit(1)
    return session.scalar(by_index(first, Delivery, "ix_delivery_created")) or 2**62


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
    """Count the rows of the part hours at both ends, of each hour so many only as a list counts."""
    found = Figures()
    for edge in {hour_of(at) for at in (query.since, query.until) if at and at != hour_of(at)}:
        begin, end = max(query.since or edge, edge), min(query.until or edge + _HOUR, edge + _HOUR)
        part = query.model_copy(update={"since": begin, "until": end})
        found += _by_rows(session, part)
    return found


def _by_rows(session: Session, query: RecordQuery) -> Figures:
    ids = _sought(query, conditions(session, query)).order_by(*_order(query))
    if query.status:
        # They all stand where the status says, so no row has to be looked at.
        total = counted_upto(session, ids)
        return Figures(**{STATUSES[query.status].figure: total.number}, exact=total.exact)
    return _counted(session, ids)


def _counted(session: Session, ids: Select[Any]) -> Figures:
    few = ids.with_only_columns(_counted_as()).limit(COUNTED_ROWS_MAX + 1).subquery()
    grouped = select(few.c.counted, func.count()).group_by(few.c.counted)
    found = _named(dict(session.execute(grouped).tuples().all()))
    return found if found.total <= COUNTED_ROWS_MAX else found + Figures(exact=False)


def _counted_as() -> Label[str]:
    return case((OPEN, "open"), (Delivery.partial, "partial"), else_=Delivery.state).label("counted")


def _named(counts: Mapping[str, int]) -> Figures:
    figures: dict[str, Any] = {_FIGURE.get(state, state): int(number) for state, number in counts.items()}
    return Figures(**figures)


def _next_hour(at: datetime) -> datetime:
    return at if at == hour_of(at) else hour_of(at) + _HOUR
