"""Dead letters: listed and counted (B1 to B5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.models.sql import COUNTED_ROWS_MAX, Total, by_index, counted_page, counted_upto, is_sqlite, number_upto
from integration.pipeline.dead_letters.filters import DeadQuery, caused, died, matching, of_status, sought
from integration.pipeline.outbox.record_numbers import NUMBERED_ROWS_MAX, beginning
from integration.pipeline.outbox.states import DEAD
from integration.queries.records import came_before, listed

#: Of very many dead letters those of a page are first looked for among so many that came last.
LOOKED_AT_FIRST = 10_000


@dataclass(frozen=True, slots=True)
class DeadPage:
    """One page of dead letters, and how many there are on all pages; `notices` tell of what not all was looked at."""

    records: Sequence[Delivery]
    total: Total
    older: int | None
    notices: Sequence[str] = ()


def waiting(session: Session, connector_id: int) -> int:
    """Return how many dead letters wait for a person."""
    return session.scalar(_WAITING, {"connector_id": connector_id}) or 0


def waiting_shown(session: Session, connector_id: int) -> Total:
    """Return how many dead letters wait as every page says it, so counted only as far as lists are."""
    return Total.upto(session.scalar(WAITING_SHOWN, {"connector_id": connector_id}) or 0)


def _dead(column: Any) -> Select[Any]:
    mine = select(column).select_from(Delivery).where(Delivery.connector_id == bindparam("connector_id"), DEAD)
    return by_index(mine, Delivery, "ix_delivery_dead")


#: How many wait for a person in `connector_id`; the second, which every page says, only as far as lists are counted.
_WAITING, WAITING_SHOWN = _dead(func.count()), number_upto(_dead(Delivery.id))


def read_page(session: Session, query: DeadQuery) -> DeadPage:
    """Return the page that a query asks for."""
    notices: Sequence[str] = ()
    if query.source:
        total, found, notices = _by_number(session, query)
    else:
        total, found = _by_moments(session, query) if died(query) else _by_ids(session, query)
    records = listed(session, found)
    shown = records[: query.limit]
    older = shown[-1].id if len(records) > query.limit else None
    return DeadPage(shown, total, older, notices)


def _by_ids(session: Session, query: DeadQuery) -> tuple[Total, Sequence[int]]:
    """Return how many match, counted newest first, and the ids of the page's newest."""
    ids = sought(query, [*of_status(query.status), *matching(session, query)])
    total = counted_upto(session, ids, COUNTED_ROWS_MAX)
    return total, _newest(session, query, ids) if total.number else ()


def _by_number(session: Session, query: DeadQuery) -> tuple[Total, Sequence[int], Sequence[str]]:
    """Return the same of a number's beginning, and what to say where more begin so than are looked through."""
    # By what few have, not by walking through all that begin otherwise.
    named = beginning(session, query.connector_id, query.source, dead=query.status == "pending")
    rest = query.model_copy(update={"source": ""})
    ids = sought(query, [*of_status(query.status), *matching(session, rest), among(Delivery.id, named.ids)])
    total = counted_upto(session, ids, NUMBERED_ROWS_MAX)
    found = _newest(session, query, ids) if total.number else ()
    return total._replace(exact=total.exact and not named.notices), found, named.notices


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
    near = () if is_sqlite(session) else _near(session, query, bound)
    return total, near if len(near) > query.limit else _newest(session, query, sought(query, [*where, *bound]))


def _near(session: Session, query: DeadQuery, bound: Sequence[ColumnElement[bool]]) -> Sequence[int]:
    """Return the newest that match among those that came last before the bound, nearly always more than a page.

    PostgreSQL believes that few rows match several filters and dates, and would sort all of the very many that do.
    """
    last = [*of_status(query.status), *bound, *([Delivery.id < query.before] if query.before else ())]
    told = (Delivery.died_at, Delivery.category, Delivery.kind, Delivery.error_code)
    some = sought(query, last).add_columns(*told).order_by(Delivery.id.desc()).limit(LOOKED_AT_FIRST).subquery()
    found = select(some.c.id).where(*caused(query, some.c), *died(query, some.c))
    return session.scalars(found.order_by(some.c.id.desc()).limit(query.limit + 1)).all()
