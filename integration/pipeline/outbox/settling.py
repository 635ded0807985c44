"""Settling: what became of leased deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.pipeline.lines import Outcome
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.outbox.tally import Tally
from integration.pipeline.outbox.tally import state_of


def settle(
    session: Session, now: datetime, connector_id: int, token: str, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Write what became of the leased deliveries and promote who comes next; return those that were still ours."""
    lock_connector(session, connector_id)
    columns = (Delivery.id, Delivery.subject, Delivery.kind, Delivery.created_at)
    held = {row.id: row for row in session.execute(select(*columns).where(Delivery.lease_token == token, OPEN))}
    ours = [outcome for outcome in outcomes if outcome.delivery_id in held]
    done = [_final(now, o) | {"payload": None} for o in ours if o.state not in (None, DeliveryState.DEAD)]
    # A dead letter keeps its payload for the person who looks at it; what was delivered needs none any more.
    dead = [_final(now, o) | {"died_at": now} for o in ours if o.state is DeliveryState.DEAD]
    later = [_later(now, o) for o in ours if o.state is None]
    for rows in (done, dead, later):
        if rows:
            statement = update(Delivery).where(Delivery.id == bindparam("b_id"))
            session.connection().execute(statement, rows)
    _tally(session, connector_id, ours, held)
    promote(session, connector_id, {row.subject for row in held.values()})
    return ours


def _tally(session: Session, connector_id: int, ours: Sequence[Outcome], held: Mapping[int, Row[Any]]) -> None:
    tally = Tally(connector_id)
    for outcome in ours:
        if outcome.state is not None:
            row = held[outcome.delivery_id]
            tally.leave(row.created_at, row.kind)
            tally.settled(row.created_at, row.kind, state_of(outcome.state, outcome.partial), outcome.result)
    tally.write(session)


def _final(now: datetime, outcome: Outcome) -> dict[str, Any]:
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
        "due_at": now + (outcome.wait or timedelta(0)),
        "attempts": outcome.attempts,
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
