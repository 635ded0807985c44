"""Calls without an answer: their people wait until it is known what Mautic holds of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import by_index
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.pipeline.outbox.states import READY, READY_INDEX, open_of_people

#: While a look goes on nobody else begins one; a process that dies in it is found by its lease.
LOOKING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LookedUpCall:
    """An unanswered call whose people are looked up now; `seen` is what the last look found, None before the first."""

    id: int
    rows: int
    pause_s: float
    looks: int
    sent_at: datetime
    seen: Mapping[str, int | None]


def nothing_in_question() -> ColumnElement[bool]:
    """Return the condition that a delivery's person is in no unanswered call."""
    return ~exists().where(
        UnansweredPerson.connector_id == Delivery.connector_id, UnansweredPerson.person_key == Delivery.person_key
    )


def ready_for_a_look(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that a delivery is ready and the look at its person is due."""
    call = select(UnansweredCall.id).where(UnansweredCall.look_at <= now)
    return READY & exists().where(
        UnansweredPerson.connector_id == Delivery.connector_id,
        UnansweredPerson.person_key == Delivery.person_key,
        UnansweredPerson.call_id.in_(call),
    )


def put_in_question(
    session: Session,
    now: datetime,
    connector_id: int,
    token: str,
    person_keys: Collection[str],
    pause: timedelta,
    wait: timedelta,
    sent_at: datetime | None = None,
) -> datetime:
    """Keep the people of a call without an answer and return when they are looked up first: after `wait`.

    The next looks come a `pause` apart. Earlier calls give these people up.
    """
    look_at = now + wait
    people = sorted(set(person_keys))
    mine = UnansweredPerson.connector_id == connector_id
    session.execute(delete(UnansweredPerson).where(mine, UnansweredPerson.person_key.in_(people)))
    _drop_empty(session, connector_id)
    call = UnansweredCall(
        connector_id=connector_id,
        token=token,
        sent_at=sent_at or now,
        rows=len(people),
        pause_s=pause.total_seconds(),
        look_at=look_at,
        looks=0,
    )
    session.add(call)
    session.flush()
    rows = [{"connector_id": connector_id, "person_key": person_key, "call_id": call.id} for person_key in people]
    session.execute(insert(UnansweredPerson), rows)
    return look_at


def take(session: Session, now: datetime, connector_id: int) -> LookedUpCall | None:
    """Return a call whose look is due, for this caller alone, None when there is none."""
    call = session.scalar(_LOOK_DUE, {"connector_id": connector_id, "now": now})
    if call is None:
        return None
    call.look_at = now + LOOKING
    columns = (UnansweredPerson.person_key, UnansweredPerson.seen)
    people = session.execute(select(*columns).where(UnansweredPerson.call_id == call.id))
    seen = {person_key: found for person_key, found in people}
    return LookedUpCall(call.id, call.rows, call.pause_s, call.looks, call.sent_at, seen)


def _look_due() -> Select[tuple[UnansweredCall]]:
    theirs = select(Delivery.id).where(
        UnansweredPerson.call_id == UnansweredCall.id,
        Delivery.connector_id == UnansweredCall.connector_id,
        Delivery.person_key == UnansweredPerson.person_key,
        READY,
    )
    query = select(UnansweredCall).where(
        UnansweredCall.connector_id == bindparam("connector_id"),
        UnansweredCall.look_at <= bindparam("now"),
        exists(by_index(theirs, Delivery, READY_INDEX)),
    )
    return query.order_by(UnansweredCall.look_at).limit(1).with_for_update(skip_locked=True)


_LOOK_DUE = _look_due()


def next_look(session: Session, connector_id: int) -> datetime | None:
    """Return when the next look of a connector is due, None when no call of it is in question."""
    return session.scalar(select(func.min(UnansweredCall.look_at)).where(UnansweredCall.connector_id == connector_id))


def look_again(session: Session, now: datetime, looked_up: LookedUpCall, seen: Mapping[str, int] | None) -> None:
    """Put the next look off by the call's pause; `seen` is what this one found, None when it came to nothing."""
    call = update(UnansweredCall).where(UnansweredCall.id == looked_up.id)
    session.execute(
        call.values(look_at=now + timedelta(seconds=looked_up.pause_s), looks=looked_up.looks + (seen is not None))
    )
    for person_key, found in (seen or {}).items():
        person = (UnansweredPerson.call_id == looked_up.id) & (UnansweredPerson.person_key == person_key)
        session.execute(update(UnansweredPerson).where(person).values(seen=found))


def close(
    session: Session, now: datetime, connector_id: int, looked_up: LookedUpCall, person_keys: Collection[str]
) -> None:
    """Let the people go whose state is known; who could not be looked at for a pause of the connector stays."""
    mine = UnansweredPerson.call_id == looked_up.id
    session.execute(delete(UnansweredPerson).where(mine, UnansweredPerson.person_key.in_(sorted(person_keys))))
    session.execute(delete(UnansweredPerson).where(mine, ~_owed()).execution_options(synchronize_session=False))
    session.execute(update(UnansweredCall).where(UnansweredCall.id == looked_up.id).values(look_at=now))
    _drop_empty(session, connector_id)


def forget(session: Session, now: datetime) -> None:
    """Drop the calls whose look is due while their people have no open deliveries any more."""
    owed = exists().where(UnansweredPerson.call_id == UnansweredCall.id, _owed())
    session.execute(
        delete(UnansweredCall).where(UnansweredCall.look_at <= now, ~owed).execution_options(synchronize_session=False)
    )


def _owed() -> ColumnElement[bool]:
    theirs = select(Delivery.id).where(
        Delivery.connector_id == UnansweredPerson.connector_id, Delivery.person_key == UnansweredPerson.person_key
    )
    return or_(*map(exists, open_of_people(theirs)))


def _drop_empty(session: Session, connector_id: int) -> None:
    people = exists().where(UnansweredPerson.call_id == UnansweredCall.id)
    session.execute(
        delete(UnansweredCall)
        .where(UnansweredCall.connector_id == connector_id, ~people)
        .execution_options(synchronize_session=False)
    )
