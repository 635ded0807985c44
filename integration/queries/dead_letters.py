"""Dead letters: listed, grouped by cause, counted, and taken in slices for a replay (B1 to B6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import Total, counted_upto
from integration.pipeline.dead_letters.filters import DEAD, DeadQuery, matching
from integration.pipeline.outbox.states import owned
from integration.queries import record_statuses


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
    number: int
    first: datetime
    last: datetime
    sentence: str = ""


def waiting(session: Session, connector_id: int) -> int:
    """Return how many dead letters wait for a person: the badge of the menu."""
    query = select(func.count()).select_from(Delivery).where(owned(connector_id), DEAD)
    return session.scalar(query) or 0


def read_page(session: Session, query: DeadQuery) -> DeadPage:
    """Return the page that a query asks for."""
    where = conditions(session, query)
    total = counted_upto(session, select(Delivery.id).where(and_(*where)))
    if query.before:
        where.append(Delivery.id < query.before)
    newest = select(Delivery.id).where(and_(*where)).order_by((Delivery.id + 0).desc()).limit(query.limit + 1)
    rows = select(Delivery).where(Delivery.id.in_(session.scalars(newest).all())).order_by(Delivery.id.desc())
    records = session.scalars(rows).all()
    shown = records[: query.limit]
    older = shown[-1].id if len(records) > query.limit else None
    return DeadPage(shown, total, older)


def conditions(session: Session, query: DeadQuery) -> list[ColumnElement[bool]]:
    """Return what the query asks of a delivery."""
    # Causes have an index that begins with the connector; the other partial indexes are gone through as a whole.
    rare = query.status not in ("discarded", "closed") and not query.code
    found = [owned(query.connector_id) if rare else Delivery.connector_id == query.connector_id]
    found += _of_status(query.status)
    return found + matching(session, query)


def _of_status(status: str) -> list[ColumnElement[bool]]:
    if status == "replayed":
        return [Delivery.replayed_at.is_not(None), not_(DEAD), Delivery.state.not_in(("discarded", "closed"))]
    if status in ("discarded", "closed"):
        return [record_statuses.condition(status), Delivery.died_at.is_not(None)]
    return [DEAD]


def groups(session: Session, connector_id: int, limit: int = 50) -> Sequence[Group]:
    """Return the causes of what waits, the most frequent first."""
    mine = and_(Delivery.connector_id == connector_id, DEAD)
    number = func.count().label("number")
    query = (
        select(
            Delivery.error_code,
            Delivery.category,
            number,
            func.min(func.coalesce(Delivery.failing_since, Delivery.settled_at)),
            func.max(Delivery.settled_at),
        )
        .where(mine)
        .group_by(Delivery.error_code, Delivery.category)
        .order_by(number.desc())
        .limit(limit)
    )
    return [_with_sentence(session, connector_id, Group(*row)) for row in session.execute(query)]


def _with_sentence(session: Session, connector_id: int, group: Group) -> Group:
    newest = select(Delivery.error).where(
        Delivery.connector_id == connector_id,
        DEAD,
        Delivery.error_code == group.code,
        Delivery.category == group.category,
    )
    sentence = session.scalar(newest.limit(1)) or ""
    return Group(group.code, group.category, group.number, group.first, group.last, without_person(sentence))


#: An address, and what else stands in quotation marks: the values of one record.
_PERSONAL = (re.compile(r"“[^”]*”"), re.compile(r"[^\s“”<>(),;]+@[^\s“”<>(),;]*[^\s“”<>(),;.]"))


def without_person(sentence: str) -> str:
    """Return the sentence of a failure as the cause of many: without the address or the value of one of them."""
    for pattern in _PERSONAL:
        sentence = pattern.sub("“…”", sentence)
    return sentence
