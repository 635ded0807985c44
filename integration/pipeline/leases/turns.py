"""Whose turn a connector is: one process at a time works for it, whatever the engine.

So the lanes of a process, and its cap of calls, hold over all processes. Nobody is appointed: who has leased deliveries
of the connector, or a run, has the turn until the last of these leases ends or is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Row, bindparam, literal, select, union_all
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.database import lock_claims
from integration.models.delivery import Delivery
from integration.models.run import Run, among_going
from integration.pipeline.leases.tokens import IsLost, is_lost, is_own, this_process
from integration.pipeline.outbox.states import LEASED


@dataclass(frozen=True, slots=True)
class Turn:
    """What a process has that may work for a connector: its batches on their way; `is_new` says another came before.

    `connector` is its row as it was found then.
    """

    batches: int
    is_new: bool
    connector: Connector


def take(session: Session, now: datetime, connector_id: int, lost: IsLost = is_lost) -> Turn | None:
    """Take the turn of a connector, None while it is another process's; `lost` tells which leases end it.

    To be asked in the transaction that leases something: until it ends no other process is given an answer.
    """
    lock_claims(session, connector_id)
    leases = _leases(session, now, [connector_id], lost)
    if not all(is_own(lease.token) for lease in leases):
        return None
    connector = session.get_one(Connector, connector_id, populate_existing=True)
    is_new = connector.worked_by not in ("", this_process())
    if connector.worked_by != this_process():
        connector.worked_by = this_process()
    return Turn(sum(lease.is_batch for lease in leases), is_new, connector)


def of_others(
    session: Session, now: datetime, connector_ids: Collection[int], lost: IsLost = is_lost
) -> frozenset[int]:
    """Return which of these connectors other processes work for now."""
    leases = _leases(session, now, connector_ids, lost) if connector_ids else ()
    return frozenset(lease.connector_id for lease in leases if not is_own(lease.token))


def _leases(session: Session, now: datetime, connector_ids: Collection[int], lost: IsLost) -> Sequence[Row[Any]]:
    """Return the leases that live, each once: (connector_id, token, until, is_batch)."""
    found = session.execute(_LEASES, {"connector_ids": list(connector_ids)}).all()
    return [lease for lease in found if not lost(lease.token, lease.until, now)]


def _all_leases() -> CompoundSelect[Any]:
    token, until = Delivery.lease_token.label("token"), Delivery.leased_until.label("until")
    batches = select(Delivery.connector_id, token, until, literal(1).label("is_batch")).where(
        Delivery.connector_id.in_(bindparam("connector_ids")), LEASED, Delivery.lease_token.is_not(None)
    )
    runs = select(Run.connector_id, Run.lease_token, Run.leased_until, literal(0)).where(
        Run.connector_id.in_(bindparam("connector_ids")), Run.lease_token.is_not(None)
    )
    return union_all(batches.distinct(), among_going(runs))


_LEASES = _all_leases()
