"""What a cancelled run had waiting: given up, and taken back when the run is resumed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from integration.events import HISTORICAL
from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.models.membership import among
from integration.models.sql import by_index
from integration.pipeline.outbox import letters
from integration.pipeline.outbox.acceptance import open_identities
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import LEASED, OF_RUN_INDEX, OPEN, SETTLED_OF_RUN_INDEX, open_of_people
from integration.pipeline.outbox.tally import Tally

#: A person may have a hundred records and more.
_PEOPLE_AT_ONCE = 50
_COLUMNS = (
    Delivery.id,
    Delivery.person_key,
    Delivery.kind,
    Delivery.source_id,
    Delivery.created_at,
    Delivery.replayed_at,
    Delivery.result,
)


def discard(session: Session, now: datetime, connector_id: int, *, run_id: int, most: int | None = None) -> int:
    """Give up what a cancelled run still had waiting of history; what is leased is finished; return how many.

    With `most` it is about so many, all of some people: nobody is sent of whom more is to be given up.

    What happened in the store just now stays owed, whoever was to send it: no poll meets it again, and no other run
    would send its e-mail.
    It keeps its payload, for the run may be resumed (see take_back). What a cancelled replay had not sent yet becomes a
    dead letter or a partial success again, so that nothing is lost.
    """
    lock_connector(session, connector_id)
    rows = _free(session, connector_id, run_id, most)
    if not rows:
        return 0
    _change(session, [row.id for row in rows if row.replayed_at is None], state=DeliveryState.DISCARDED, settled_at=now)
    # Only what was partial before it was sent again, or is by now, has a result.
    half = {row.id for row in rows if row.replayed_at is not None and row.result}
    _change(session, half, state=DeliveryState.DELIVERED, partial=True, settled_at=now)
    again = _dead_again(session, connector_id, [row for row in rows if row.id not in half])
    for state, ids in again.items():
        _change(session, ids, state=state, settled_at=now)
    states = {number: state for state, ids in again.items() for number in ids}
    tally = Tally(connector_id)
    for row in rows:
        tally.leave(row.created_at, row.kind)
        counted = "partial" if row.id in half else states.get(row.id, DeliveryState.DISCARDED)
        tally.settled(row.created_at, row.kind, counted, row.result)
    tally.write(session)
    promote(session, connector_id, {row.person_key for row in rows})
    return len(rows)


def _free(session: Session, connector_id: int, run_id: int, most: int | None) -> list[Row[Any]]:
    """Return about `most` of what a run has waiting of history that no lane has, all of some people, by id.

    It is locked, for a lane may be claiming: what it has got is not given up, and what is given up it passes by.
    """

    def of(some: Collection[str]) -> Iterator[Row[Any]]:
        theirs = *_is_free(connector_id, run_id), among(Delivery.person_key, some)
        queries = open_of_people(select(*_COLUMNS).where(*theirs).with_for_update())
        return (row for query in queries for row in session.execute(query))

    return _whole(session.scalars(_free_people(connector_id, run_id).limit(most)), of, most)


def is_any_free(session: Session, connector_id: int, run_id: int) -> bool:
    """Tell whether a run that is to be cancelled has anything left that `discard` would give up."""
    return session.scalar(_free_people(connector_id, run_id).limit(1)) is not None


def _free_people(connector_id: int, run_id: int) -> Select[tuple[str]]:
    query = select(Delivery.person_key).where(*_is_free(connector_id, run_id), OPEN)
    return by_index(query, Delivery, OF_RUN_INDEX)


def _is_free(connector_id: int, run_id: int) -> tuple[ColumnElement[bool], ...]:
    mine = (Delivery.connector_id == connector_id) & (Delivery.run_id == run_id) & Delivery.lease_token.is_(None)
    return mine, or_(Delivery.origin.in_(HISTORICAL), Delivery.replayed_at.is_not(None)), ~LEASED


def _whole(
    people: Iterable[str], of: Callable[[Collection[str]], Iterable[Row[Any]]], most: int | None
) -> list[Row[Any]]:
    """Return the rows of people, asked for a few at a time until there are `most`, by id."""
    keys, found = sorted(set(people)), list[Row[Any]]()
    for start in range(0, len(keys), _PEOPLE_AT_ONCE):
        if most is not None and len(found) >= most:
            break
        found += of(keys[start : start + _PEOPLE_AT_ONCE])
    return sorted(found, key=attrgetter("id"))


def _dead_again(session: Session, connector_id: int, rows: Sequence[Row[Any]]) -> dict[DeliveryState, list[int]]:
    """Return what the unsent of a cancelled replay become: a dead letter, or closed where the record has one by now."""
    replayed = [row for row in rows if row.replayed_at is not None]
    newest = {(row.kind, row.source_id): row.id for row in replayed}
    taken = letters.has_letter(session, connector_id, newest)
    dead = [number for record, number in newest.items() if record not in taken]
    closed = [row.id for row in replayed if row.id not in set(dead)]
    return {DeliveryState.DEAD: dead, DeliveryState.CLOSED: closed}


def _change(session: Session, ids: Collection[int], **values: Any) -> None:
    if ids:
        changed = update(Delivery).where(among(Delivery.id, ids)).values(**values)
        session.execute(changed.execution_options(synchronize_session=False))


def given_up_count(session: Session, run_id: int) -> int:
    """Count what a cancelled run gave up and could still be sent: a person discarded none of it, none is too old."""
    query = select(func.count()).select_from(Delivery).where(*_given_up(run_id))
    return session.scalar(by_index(query, Delivery, SETTLED_OF_RUN_INDEX)) or 0


def take_back(session: Session, now: datetime, connector_id: int, run_id: int, most: int) -> tuple[int, int]:
    """Owe again about `most` of what a cancelled run gave up; return how many, and how many go without it by now.

    They are all of some people, who are written once so. Each counts as tried, so that the store is read again before
    it is sent. What goes without it is done with here.
    """
    lock_connector(session, connector_id)
    first = select(Delivery.person_key).where(*_given_up(run_id)).limit(most)
    people = session.scalars(by_index(first, Delivery, SETTLED_OF_RUN_INDEX))

    def of(some: Collection[str]) -> Iterable[Row[Any]]:
        theirs = Delivery.connector_id == connector_id, among(Delivery.person_key, some)
        query = select(*_COLUMNS, Delivery.identity).where(*theirs, *_given_up(run_id))
        return session.execute(by_index(query, Delivery, "ix_delivery_person_key"))

    rows = _whole(people, of, most)
    busy = open_identities(session, connector_id, [row.identity for row in rows])
    _change(session, [row.id for row in rows if row.identity in busy], payload=None)
    owed = [row for row in rows if row.identity not in busy]
    tried = func.coalesce(func.nullif(Delivery.attempts, 0), 1)
    waits = {"state": DeliveryState.WAITING, "due_at": now, "settled_at": None, "attempts": tried}
    _change(session, [row.id for row in owed], **waits)
    tally = Tally(connector_id)
    for row in owed:
        tally.settled(row.created_at, row.kind, DeliveryState.DISCARDED, row.result, -1)
        tally.enter(row.created_at, row.kind)
    tally.write(session)
    promote(session, connector_id, {row.person_key for row in owed})
    return len(owed), len(rows) - len(owed)


def _given_up(run_id: int) -> tuple[Any, ...]:
    # As the index has it, with its literal.
    given_up = (Delivery.state == literal_column("'discarded'")) & Delivery.settled_at.is_not(None)
    return Delivery.run_id == run_id, given_up, Delivery.discard_reason == "", Delivery.payload.is_not(None)
