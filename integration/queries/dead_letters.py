"""Dead letters: listed, grouped by cause, counted, and taken in slices for a replay (B1 to B6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, func, not_, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import COUNTED_ROWS_MAX, Total, by_index, counted_upto
from integration.pipeline.dead_letters.filters import DeadQuery, died, matching, sought
from integration.pipeline.outbox.record_numbers import NUMBERED_ROWS_MAX, ids_beginning
from integration.pipeline.outbox.states import DEAD
from integration.queries import record_statuses
from integration.queries.records import came_before

#: So many causes are told apart.
GROUPS_MAX = 50


@dataclass(frozen=True, slots=True)
class DeadPage:
    """One page of dead letters, and how many there are on all pages."""

    records: Sequence[Delivery]
    total: Total
    older: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one cause (B6), with one of their sentences."""

    code: str
    category: str
    total: Total
    first: datetime
    last: datetime
    sentence: str = ""


def waiting(session: Session, connector_id: int) -> int:
    """Return how many dead letters wait for a person."""
    return session.scalar(_dead(func.count(), connector_id, "ix_delivery_dead")) or 0


def waiting_shown(session: Session, connector_id: int) -> Total:
    """Return how many dead letters wait as every page says it, so counted only as far as lists are."""
    return counted_upto(session, _dead(Delivery.id, connector_id, "ix_delivery_dead"))


def _dead(column: Any, connector_id: int, index: str) -> Select[Any]:
    return by_index(
        select(column).select_from(Delivery).where(Delivery.connector_id == connector_id, DEAD), Delivery, index
    )


def read_page(session: Session, query: DeadQuery) -> DeadPage:
    """Return the page that a query asks for."""
    where = _conditions(session, query)
    total = counted_upto(session, sought(query, where), NUMBERED_ROWS_MAX if query.source else COUNTED_ROWS_MAX)
    if query.before:
        where.append(Delivery.id < query.before)
    newest = sought(query, where).order_by(Delivery.id.desc()).limit(query.limit + 1)
    found = session.scalars(newest).all() if total.number else ()
    rows = select(Delivery).where(Delivery.id.in_(found)).order_by(Delivery.id.desc())
    records = session.scalars(rows).all()
    shown = records[: query.limit]
    older = shown[-1].id if len(records) > query.limit else None
    return DeadPage(shown, total, older)


def _conditions(session: Session, query: DeadQuery) -> list[ColumnElement[bool]]:
    """Return what the query asks of a delivery; what few have is named, so that nobody walks through the others."""
    if (named := _named(session, query)) is None:
        # Nobody fails before coming, so what came later is not walked through.
        bound = [came_before(session, query.connector_id, query.until)] if query.until else []
        return [*_of_status(query.status), *matching(session, query), *bound]
    rest = query.model_copy(update={"source": ""})
    return [*_of_status(query.status), *matching(session, rest), Delivery.id.in_(named)]


def _named(session: Session, query: DeadQuery) -> Sequence[int] | None:
    """Return the ids that a number or dates find, None where they find none or very many: those are met by walking."""
    pending = query.status == "pending"
    if query.source:
        return ids_beginning(session, query.connector_id, query.source, dead=pending)
    if not pending or not died(query):
        return None
    ids = _dead(Delivery.id, query.connector_id, "ix_delivery_letter_died").where(*died(query))
    found = session.scalars(ids.limit(COUNTED_ROWS_MAX + 1)).all()
    return found if len(found) <= COUNTED_ROWS_MAX else None


def _of_status(status: str) -> list[ColumnElement[bool]]:
    if status == "replayed":
        return [Delivery.replayed_at.is_not(None), not_(DEAD), Delivery.state.not_in(("discarded", "closed"))]
    if status in ("discarded", "closed"):
        return [record_statuses.condition(status), Delivery.died_at.is_not(None)]
    return [DEAD]


def groups(session: Session, connector_id: int, limit: int = GROUPS_MAX) -> Sequence[Group]:
    """Return the causes of what waits, the most frequent first."""
    causes = list(islice(_causes(session, connector_id), limit))
    found = [_group(session, connector_id, code, category) for code, category in causes]
    return sorted(found, key=lambda group: -group.total.number)


def _causes(session: Session, connector_id: int) -> Iterator[tuple[str, str]]:
    """Yield each cause once, from one to the next in the index, without the rows between."""
    each = _dead(Delivery.error_code, connector_id, "ix_delivery_cause").add_columns(Delivery.category)
    each = each.order_by(Delivery.error_code, Delivery.category).limit(1)
    row = session.execute(each).one_or_none()
    while row is not None:
        yield row.error_code, row.category
        # Both columns at once are sought by SQLite with all rows of the cause.
        same = each.where(Delivery.error_code == row.error_code, Delivery.category > row.category)
        beyond = each.where(Delivery.error_code > row.error_code)
        row = session.execute(same).one_or_none() or session.execute(beyond).one_or_none()


def _group(session: Session, connector_id: int, code: str, category: str) -> Group:
    same = (Delivery.error_code == code, Delivery.category == category)

    def of(column: Any, index: str = "ix_delivery_cause") -> Select[Any]:
        return _dead(column, connector_id, index).where(*same)

    since = of(Delivery.failing_since, "ix_delivery_letter_since").where(Delivery.failing_since.is_not(None))
    first = session.scalar(since.order_by(Delivery.failing_since).limit(1))
    settled = session.scalar(of(Delivery.settled_at).order_by(Delivery.settled_at).limit(1))
    last = session.scalar(of(Delivery.settled_at).order_by(Delivery.settled_at.desc()).limit(1))
    sentence = session.scalar(of(Delivery.error).limit(1)) or ""
    begun = [at for at in (first, settled) if at is not None]
    total = counted_upto(session, of(Delivery.id))
    return Group(code, category, total, min(begun), last, without_person(sentence))


#: An address, and what else stands in quotation marks: the values of one record.
_PERSONAL = (re.compile(r"“[^”]*”"), re.compile(r"[^\s“”<>(),;]+@[^\s“”<>(),;]*[^\s“”<>(),;.]"))


def without_person(sentence: str) -> str:
    """Return the sentence of a failure as the cause of many: without the address or the value of one of them."""
    for pattern in _PERSONAL:
        sentence = pattern.sub("“…”", sentence)
    return sentence
