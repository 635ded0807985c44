"""Gathering: while a run reads the whole store, a person waits until all of theirs was read, and is written once.

Who is gathered has deliveries that wait and none that is ready or leased, so nobody claims them. There is no mark that
could be left behind: the page with their last order makes them ready, any other change of theirs does (`promote`), and
so does whatever ends the run that reads or lets it rest (`let_go`), in the transaction that says so. A run that is
given back is taken up again by the first process that could send them: until then they wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from integration.models.database import Database, lock_connector
from integration.models.delivery import Delivery
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.models.sql import by_index
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import (
    LEAD_INDEX,
    OF_RUN_INDEX,
    OPEN,
    WAITING,
    WAITING_INDEX,
    is_lead,
    is_waiting,
)

#: Who has more orders still to come than this is not waited for: a group is held in memory when it is sent.
ORDERS_MAX = 100
_BY_PERSON = "ix_order_ledger_person_key"
_ROWS_AT_ONCE = 10_000
#: So many people are let go in one transaction where there may be very many.
_PART = 2_000


@dataclass(frozen=True, slots=True)
class ToCome:
    """The orders that a run has still to read: those of these statuses behind `last_id`, in order of id.

    `after` and `before` bound when they were modified, None for open; `page` are the orders in the page at hand. With
    no status at all nothing is to come: a page that is read by its buyers has all of them.
    """

    statuses: Collection[str]
    last_id: int = 0
    after: datetime | None = None
    before: datetime | None = None
    page: Sequence[int] = field(default=())

    def whole(self, session: Session, connector_id: int, person_keys: Collection[str]) -> set[str]:
        """Return who can be sent, of these people and of those whose orders are in the page: nothing of them comes."""
        of_page = select(LedgerEntry.person_key).where(
            LedgerEntry.connector_id == connector_id, LedgerEntry.order_id.in_(self.page), LedgerEntry.person_key != ""
        )
        people = {*person_keys, *(session.scalars(of_page) if self.page else ())}
        return people - self._awaited(session, connector_id, people)

    def count(self, session: Session, connector_id: int) -> int:
        """Count the orders that are still to be read, by what the ledger knows."""
        query = select(func.count()).select_from(LedgerEntry)
        return session.scalar(query.where(LedgerEntry.connector_id == connector_id, *self._left())) or 0

    def by_buyer(self, session: Session, connector_id: int) -> Iterator[tuple[str, int]]:
        """Yield person key and id of each order that is still to be read; those of one person stand together.

        They are fetched piece by piece, in a session that reads steadily.
        """
        query = select(LedgerEntry.person_key, LedgerEntry.order_id)
        query = query.where(LedgerEntry.connector_id == connector_id, *self._left())
        query = by_index(query, LedgerEntry, _BY_PERSON).order_by(LedgerEntry.person_key)
        found = session.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
        return ((row.person_key, row.order_id) for row in found)

    def _awaited(self, session: Session, connector_id: int, people: Collection[str]) -> set[str]:
        theirs = LedgerEntry.connector_id == connector_id, among(LedgerEntry.person_key, people)
        # All orders that are still to be read are more than theirs are.
        query = by_index(select(LedgerEntry.person_key).where(*theirs, *self._left()), LedgerEntry, _BY_PERSON)
        few = func.count() <= ORDERS_MAX
        return set(session.scalars(query.group_by(LedgerEntry.person_key).having(few))) if people else set()

    def _left(self) -> list[ColumnElement[bool]]:
        left = [LedgerEntry.order_id > self.last_id, LedgerEntry.status.in_(sorted(self.statuses))]
        left += [] if self.after is None else [LedgerEntry.modified_at >= self.after]
        return left + ([] if self.before is None else [LedgerEntry.modified_at < self.before])


def let_go(session: Session, connector_id: int, run_id: int, most: int | None = None) -> int:
    """Let the people go whom a run gathers, the longest waiting first, at most so many; return how many."""
    lock_connector(session, connector_id)
    query = by_index(select(Delivery.person_key).where(*_gathered(run_id)), Delivery, OF_RUN_INDEX)
    query = query.group_by(Delivery.person_key)
    if most is not None:
        query = query.order_by(func.min(Delivery.id)).limit(most)
    people = session.scalars(query).all()
    promote(session, connector_id, people)
    return len(people)


def let_go_by_parts(db: Database, connector_id: int, run_id: int) -> None:
    """Let the people go whom a run gathers, some at a time: what ends the run then keeps nobody waiting for long."""
    after = ""

    def let_some_go(session: Session) -> bool:
        nonlocal after
        people = _let_some_go(session, connector_id, run_id, after)
        after = people[-1] if people else after
        return len(people) == _PART

    db.write_by_parts(let_some_go)


def _let_some_go(session: Session, connector_id: int, run_id: int, after: str) -> Sequence[str]:
    """Let the next people go, by their keys, and return them in order, with those who have gone already."""
    lock_connector(session, connector_id)
    theirs = Delivery.connector_id == connector_id, Delivery.person_key > after
    mine = Delivery.run_id == run_id, WAITING
    query = by_index(select(Delivery.person_key).where(*theirs, *mine), Delivery, WAITING_INDEX)
    people = session.scalars(query.group_by(Delivery.person_key).order_by(Delivery.person_key).limit(_PART)).all()
    promote(session, connector_id, people)
    return people


def sendable_count(session: Session, connector_id: int, run_id: int, most: int) -> int:
    """Count the deliveries of a run that can be sent or are being sent: all that is open of it but who is gathered.

    These are what goes before others and what waits behind that, so nobody who is gathered is passed by; with `most`
    of the first nothing else is counted.
    """
    ahead = Delivery.connector_id == connector_id, is_lead()
    first = by_index(select(Delivery.id).where(*ahead, Delivery.run_id == run_id), Delivery, LEAD_INDEX).limit(most)
    leads = session.scalar(select(func.count()).select_from(first.subquery())) or 0
    if leads == most:
        return leads
    behind = aliased(Delivery)
    waiting = select(func.count()).where(
        behind.connector_id == Delivery.connector_id,
        behind.person_key == Delivery.person_key,
        is_waiting(behind),
        behind.run_id == run_id,
    )
    waiting = by_index(waiting, behind, WAITING_INDEX).correlate(Delivery)
    query = select(func.sum(waiting.scalar_subquery())).where(*ahead)
    return leads + int(session.scalar(by_index(query, Delivery, LEAD_INDEX)) or 0)


def _gathered(run_id: int) -> tuple[ColumnElement[bool], ...]:
    lead = aliased(Delivery)
    theirs = lead.connector_id == Delivery.connector_id, lead.person_key == Delivery.person_key
    # Not NOT EXISTS, as in promotion.
    first = select(lead.id).where(*theirs, is_lead(lead)).limit(1).correlate(Delivery).scalar_subquery()
    # OPEN beside WAITING, for SQLite takes a partial index only where its own words stand.
    return Delivery.run_id == run_id, OPEN, WAITING, first.is_(None)
