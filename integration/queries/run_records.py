"""The records of a run, each with its operation and status, and their totals (C10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, Subquery, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery, DeliveryState
from integration.models.membership import among
from integration.models.run import FormerRecord, Run
from integration.models.sql import COUNTED_ROWS_MAX, by_index, keeping_order
from integration.pipeline.outbox.states import OPEN
from integration.url_filters import EntryId, OneOf, UrlFilter

RUN_RECORDS_MAX_ROWS = 100
STATUSES = {
    "success": "SUCCESS",
    "failed": "FAILED",
    "skipped": "SKIPPED",
    "conflict": "CONFLICT",
    "waiting": "WAITING",
}
_STATUS = {
    DeliveryState.DELIVERED: "success",
    DeliveryState.DEAD: "failed",
    DeliveryState.CLOSED: "failed",
    DeliveryState.SKIPPED: "skipped",
    DeliveryState.DISCARDED: "skipped",
    DeliveryState.CONFLICT: "conflict",
}
_STATES = {status: [state for state, code in _STATUS.items() if code == status] for status in STATUSES}
_OPERATION = {"created": "CREATE", "updated": "UPDATE", "skipped": "SKIP", "deleted": "SYNC"}


@dataclass(frozen=True, slots=True)
class Entity:
    """A record of a run in the words of C10; `status` is a key of STATUSES.

    `again` says that it was sent again since, without this run: operation and status are those that it left with.
    """

    delivery: Delivery
    operation: str
    status: str
    again: bool = False


class EntityQuery(UrlFilter):
    """Records of one run, newest first, from before the id `before`; `status` is a key of STATUSES or ""."""

    status: Annotated[str, OneOf(STATUSES)] = ""
    before: EntryId = 0

    @classmethod
    def parse(cls, args: Mapping[str, Any]) -> tuple[EntityQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args)


@dataclass
class Totals:
    """Records of a run by kind and status; `exact` is False where only the newest were counted."""

    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    exact: bool = True

    def of(self, status: str) -> int:
        """Return how many stand in a status, in any for ""."""
        return sum(counts[code] for counts in self.kinds.values() for code in counts if status in ("", code))


def entities(
    session: Session, run: Run, query: EntityQuery, limit: int = RUN_RECORDS_MAX_ROWS
) -> tuple[list[Entity], int | None]:
    """Return one page of a run's records, newest first, and the id to go on from, None at the end."""
    rows = [_entity(row) for row in _present(session, run, query, limit + 1)]
    rows += _former(session, run, query, limit + 1)
    rows.sort(key=lambda each: each.delivery.id, reverse=True)
    older = rows[limit - 1].delivery.id if len(rows) > limit else None
    return rows[:limit], older


def _present(session: Session, run: Run, query: EntityQuery, limit: int) -> Sequence[Delivery]:
    """Return the newest of the records that are the run's, those of each state by the index that has them so."""
    ids: list[int] = []
    for where, order, index in _parts(session, run, query.status):
        part = select(Delivery.id).where(*where)
        if query.before:
            part = part.where(Delivery.id < query.before)
        newest = part.order_by(order.desc(), Delivery.id.desc()).limit(limit)
        ids += session.scalars(by_index(newest, Delivery, index))
    return session.scalars(select(Delivery).where(among(Delivery.id, ids))).all()


def _parts(session: Session, run: Run, status: str) -> Iterator[tuple[Sequence[ColumnElement[bool]], Any, str]]:
    """Yield conditions, the column that the index has before the id, and the index."""
    mine = keeping_order(session, Delivery.run_id, run.id)
    if not status:
        yield (mine,), Delivery.run_id, "ix_delivery_run"
    elif status == "waiting":
        yield (mine, OPEN), Delivery.run_id, "ix_delivery_run_open"
    for state in _STATES.get(status, ()):
        found = keeping_order(session, Delivery.state, state)
        settled = Delivery.settled_at.is_not(None)
        yield (Delivery.run_id == run.id, found, settled), Delivery.state, "ix_delivery_run_state"


def _former(session: Session, run: Run, query: EntityQuery, limit: int) -> list[Entity]:
    """Return the newest of the records that left the run."""
    found = select(Delivery, FormerRecord).join(FormerRecord, FormerRecord.delivery_id == Delivery.id)
    found = found.where(FormerRecord.run_id == run.id)
    if query.status:
        states = [state for state in DeliveryState if _STATUS.get(state, "waiting") == query.status]
        found = found.where(FormerRecord.state.in_(states))
    if query.before:
        found = found.where(Delivery.id < query.before)
    rows = session.execute(found.order_by(Delivery.id.desc()).limit(limit)).tuples()
    return [_entity(delivery, former) for delivery, former in rows]


def _entity(row: Delivery, former: FormerRecord | None = None) -> Entity:
    then = former or row
    status = _STATUS.get(DeliveryState(then.state), "waiting")
    return Entity(row, _OPERATION.get(then.result, "SYNC"), status, former is not None)


def _by_state(rows: Subquery) -> Select[tuple[str, str, int]]:
    return select(rows.c.kind, rows.c.state, func.count()).group_by(rows.c.kind, rows.c.state)


def totals(session: Session, run: Run) -> Totals:
    """Return how many records of each kind stand where, of the newest so many that lists count."""
    newest = by_index(select(Delivery.kind, Delivery.state), Delivery, "ix_delivery_run").where(
        keeping_order(session, Delivery.run_id, run.id)
    )
    few = newest.order_by(Delivery.run_id.desc(), Delivery.id.desc()).limit(COUNTED_ROWS_MAX + 1).subquery()
    made, seen = Totals(), 0
    left = select(FormerRecord.kind, FormerRecord.state).where(FormerRecord.run_id == run.id).subquery()
    counted = [*session.execute(_by_state(few)), *session.execute(_by_state(left))]
    for kind, state, number in sorted(counted):
        counts = made.kinds.setdefault(kind, dict.fromkeys(STATUSES, 0))
        counts[_STATUS.get(DeliveryState(state), "waiting")] += number
        seen += number
    made.exact = seen <= COUNTED_ROWS_MAX
    return made
