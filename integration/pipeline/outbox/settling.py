"""Settling: what became of leased deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox import letters
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.outbox.tally import Tally, state_of

_HELD = select(
    Delivery.id,
    Delivery.person_key,
    Delivery.kind,
    Delivery.source_id,
    Delivery.created_at,
    Delivery.failures,
    Delivery.failing_since,
).where(Delivery.lease_token == bindparam("token"), OPEN)
_WRITE = update(Delivery).where(Delivery.id == bindparam("b_id"))


def settle(
    session: Session, now: datetime, connector_id: int, token: str, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Write what became of the leased deliveries and promote who comes next; return those that were still ours."""
    lock_connector(session, connector_id)
    held = {row.id: row for row in session.execute(_HELD, {"token": token})}
    ours = [outcome for outcome in outcomes if outcome.delivery_id in held]
    written, closed, inherited = _letters(session, now, connector_id, ours, held)
    done = [
        final(now, o) | {"payload": None, "closed_by": closed.get(o.delivery_id)}
        for o in written
        if o.state not in (None, DeliveryState.DEAD) and not o.partial
    ]
    # What a person may send again keeps its payload: dead letters and partial successes.
    part = [final(now, o) for o in written if o.partial]
    dead = [
        final(now, o) | _died(now, held[o.delivery_id], inherited.get(o.delivery_id))
        for o in written
        if o.state is DeliveryState.DEAD
    ]
    later = [_later(now, o) for o in written if o.state is None]
    for rows in (done, part, dead, later):
        if rows:
            session.connection().execute(_WRITE, rows)
    _tally(session, connector_id, written, held)
    letters.complete(session, connector_id, [held[o.delivery_id] for o in written if _is_whole(o)])
    promote(session, connector_id, {row.person_key for row in held.values()})
    return ours


def _is_whole(outcome: Outcome) -> bool:
    return letters.succeeded(outcome) and not outcome.partial


def _letters(
    session: Session, now: datetime, connector_id: int, ours: Sequence[Outcome], held: Mapping[int, Row[Any]]
) -> tuple[list[Outcome], dict[int, int], dict[int, letters.Inherited]]:
    """Keep one dead letter a record: return the outcomes as they are written, what closed which, what is inherited.

    Of a record that failed in two deliveries of this batch the newer one stands for both, and so does its success.
    """
    records = {number: (row.kind, row.source_id) for number, row in held.items()}
    standing = letters.standing(ours, records)
    inherited = letters.give_way(session, now, connector_id, standing) if standing else {}
    closed = {
        o.delivery_id: standing[records[o.delivery_id]]
        for o in ours
        if o.state is DeliveryState.DEAD and standing[records[o.delivery_id]] != o.delivery_id
    }
    written = [replace(o, state=DeliveryState.CLOSED) if o.delivery_id in closed else o for o in ours]
    return written, closed, inherited


def _died(now: datetime, row: Row[Any], inherited: letters.Inherited | None) -> dict[str, Any]:
    """Return what a new dead letter remembers of the earlier failures of its record."""
    earlier = inherited.failures if inherited else 0
    since = [at for at in (row.failing_since, inherited.since if inherited else None) if at is not None]
    return {"died_at": now, "failures": row.failures + earlier + 1, "failing_since": min(since, default=now)}


def _tally(session: Session, connector_id: int, ours: Sequence[Outcome], held: Mapping[int, Row[Any]]) -> None:
    tally = Tally(connector_id)
    for outcome in ours:
        if outcome.state is not None:
            row = held[outcome.delivery_id]
            tally.leave(row.created_at, row.kind)
            tally.settled(row.created_at, row.kind, state_of(outcome.state, outcome.partial), outcome.result)
    tally.write(session)


def final(now: datetime, outcome: Outcome) -> dict[str, Any]:
    """Return what is written of a delivery that came to an end; `b_id` is its id."""
    return {
        "b_id": outcome.delivery_id,
        "state": outcome.state,
        "result": outcome.result,
        "partial": outcome.partial,
        "contact_id": outcome.contact_id,
        "settled_at": now,
        **_error(outcome),
    }


def _later(now: datetime, outcome: Outcome) -> dict[str, Any]:
    return {
        "b_id": outcome.delivery_id,
        "state": DeliveryState.WAITING,
        "result": outcome.result,
        "due_at": now + (outcome.wait or timedelta(0)),
        "faults": outcome.faults,
        **_error(outcome),
    }


def _error(outcome: Outcome) -> dict[str, Any]:
    return {
        "error_code": outcome.error_code,
        "error": outcome.message if outcome.error_code else "",
        "category": outcome.category,
        "lease_token": None,
        "leased_until": None,
    }
