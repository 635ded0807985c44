"""Dead letters: listed and counted (B1 to B5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.models.sql import COUNTED_ROWS_MAX, Total, by_index, counted_page, counted_upto
from integration.pipeline.dead_letters.filters import DeadQuery, died, matching, of_status, sought
from integration.pipeline.outbox.record_numbers import NUMBERED_ROWS_MAX, ids_beginning
from integration.pipeline.outbox.states import DEAD
from integration.queries.records import came_before


@dataclass(frozen=True, slots=True)
class DeadPage:
    """One page of dead letters, and how many there are on all pages."""

    records: Sequence[Delivery]
    total: Total
    older: int | None


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
    total, found = _by_moments(session, query) if died(query) and not query.source else _by_ids(session, query)
    rows = select(Delivery).where(among(Delivery.id, found)).order_by(Delivery.id.desc())
    records = session.scalars(rows).all() if found else []
    shown = records[: query.limit]
    older = shown[-1].id if len(records) > query.limit else None
    return DeadPage(shown, total, older)


def _by_ids(session: Session, query: DeadQuery) -> tuple[Total, Sequence[int]]:
    """Return how many match, counted newest first, and the ids of the page's newest."""
    where = [*of_status(query.status), *matching(session, query)]
    most = COUNTED_ROWS_MAX
    if query.source:
        # By what few have, not by walking through all that begin otherwise.
        named = ids_beginning(session, query.connector_id, query.source, dead=query.status == "pending")
        rest = query.model_copy(update={"source": ""})
        where = [*of_status(query.status), *matching(session, rest), among(Delivery.id, named)]
        most = NUMBERED_ROWS_MAX
    ids = sought(query, where)
    total = counted_upto(session, ids, most)
    return total, _newest(session, query, ids) if total.number else ()


def _newest(session: Session, query: DeadQuery, ids: Select[Any]) -> Sequence[int]:
    if query.before:
        ids = ids.where(Delivery.id < query.before)
    return session.scalars(ids.order_by(Delivery.id.desc()).limit(query.limit + 1)).all()


def _by_moments(session: Session, query: DeadQuery) -> tuple[Total, Sequence[int]]:
    """Return the same of what failed between two moments: those are counted, and sorted unless they are very many."""
    where = [*of_status(query.status), *matching(session, query)]
    among = sought(query, where, by_moment=True)
    total, found = counted_page(session, among, query.limit + 1, COUNTED_ROWS_MAX, before=query.before)
    if total.exact:
        return total, found
    # Nobody fails before coming, so what came later is not walked through.
    bound = [came_before(session, query.connector_id, query.until)] if query.until else []
    return total, _newest(session, query, sought(query, [*where, *bound]))
