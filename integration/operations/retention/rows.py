"""Retention of records with their attempts, of runs, and of what the operations write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, exists, or_, select
from sqlalchemy.orm import Session

from integration.inbound.repeats import KEPT
from integration.models.alert import Alert
from integration.models.cart import Cart
from integration.models.counts import ALL_BEFORE, Meter, RecordCount
from integration.models.database import Database
from integration.models.delivery import Delivery, DeliveryState
from integration.models.disk_report import DiskReport
from integration.models.drift import Drift, Gap
from integration.models.inbound import InboundRequest
from integration.models.run import Run, RunKind, RunLine, RunState
from integration.models.schedule import Heartbeat
from integration.models.sql import by_index
from integration.operations.retention.batches import Batches
from integration.pipeline import usage
from integration.pipeline.outbox.states import OF_RUN_INDEX, OPEN
from integration.pipeline.outbox.tally import Tally, state_of

_SETTLED = (
    DeliveryState.DELIVERED,
    DeliveryState.SKIPPED,
    DeliveryState.CONFLICT,
    DeliveryState.DISCARDED,
    DeliveryState.CLOSED,
)
_ENDED = (RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED)
TALLIED = (
    Delivery.connector_id,
    Delivery.created_at,
    Delivery.kind,
    Delivery.state,
    Delivery.partial,
    Delivery.result,
)
#: The hours of the meter are few; they are kept for the charts of two years, then only what they add up to.
METER = timedelta(days=730)
#: So long it is known of a process that is gone when it was alive, and what was wrong with its disk.
HEARTBEATS = timedelta(days=1)
#: So long a cart is kept for its coupon's sake.
COUPONS = timedelta(days=7)


def purge_records(work: Batches, connector_id: int, before: datetime) -> int:
    """Delete a connector's settled records from before a moment; dead letters and open work stay."""
    old = and_(Delivery.settled_at < before, Delivery.connector_id == connector_id, Delivery.state.in_(_SETTLED))
    by = (Delivery.settled_at, "ix_delivery_settled")
    return work.delete(Delivery, old, by=by, returning=TALLIED, then=count_down)


def count_down(session: Session, rows: Sequence[Row[Any]]) -> None:
    """Take settled records that were deleted out of the counts; the rows are of one connector and have TALLIED."""
    tally = Tally(rows[0].connector_id)
    for row in rows:
        tally.settled(row.created_at, row.kind, state_of(row.state, row.partial), row.result, -1)
    tally.write(session)
    session.execute(
        delete(RecordCount).where(RecordCount.connector_id == rows[0].connector_id, RecordCount.records == 0)
    )


def purge_runs(db: Database, work: Batches, connector_id: int, before: datetime) -> int:
    """Delete a connector's runs that ended before a moment and have no open deliveries, their lines first.

    What a reconciliation has found goes with its run.
    """
    owed = exists(by_index(select(Delivery.id).where(Delivery.run_id == Run.id, OPEN), Delivery, OF_RUN_INDEX))
    old = and_(Run.connector_id == connector_id, Run.state.in_(_ENDED), Run.ended_at < before, ~owed)
    with db.read() as session:
        ended = session.execute(select(Run.id, Run.kind).where(old)).tuples().all()
    for run_id, kind in ended:
        # The cascade would take all lines of a long run, and all it has found, in one transaction.
        work.delete(RunLine, RunLine.run_id == run_id)
        if kind == RunKind.RECONCILIATION:
            work.delete(Drift, Drift.reconciliation_id == run_id)
    return work.delete(Run, old)


def purge_findings(work: Batches, connector_id: int, before: datetime) -> int:
    """Delete ended alerts and healed gaps from before a moment."""
    alerts = and_(Alert.connector_id == connector_id, Alert.ended_at < before)
    gaps = and_(Gap.connector_id == connector_id, Gap.healed_at < before)
    return work.delete(Alert, alerts) + work.delete(Gap, gaps)


def purge_carts(work: Batches, connector_id: int, before: datetime) -> int:
    """Delete a connector's carts that neither changed nor were announced since a moment, with their story (P61).

    One whose coupon still has to leave the store waits for that, but not for ever: a store may be gone for good.
    """
    waited = or_(Cart.coupon_id.is_(None), Cart.touched_at < before - COUPONS)
    return work.delete(Cart, and_(Cart.connector_id == connector_id, Cart.touched_at < before, waited))


def purge_keys(work: Batches, connector_id: int, now: datetime) -> int:
    """Delete the idempotency keys of programs that stand for nothing any more."""
    return work.delete(
        InboundRequest, and_(InboundRequest.connector_id == connector_id, InboundRequest.created_at <= now - KEPT)
    )


def purge_common(work: Batches, now: datetime) -> int:
    """Delete what belongs to no organisation: old hours of the meter, old reports of disks, and old heartbeats.

    The sums of the hours are kept. Returns how many heartbeats these were.
    """
    hours = and_(Meter.hour < now - METER, Meter.hour > ALL_BEFORE)
    work.delete(Meter, hours, Meter.hour, returning=usage.FOLDED, then=usage.fold)
    work.delete(DiskReport, DiskReport.at < now - HEARTBEATS, DiskReport.process)
    return work.delete(Heartbeat, Heartbeat.beat_at < now - HEARTBEATS, Heartbeat.name)
