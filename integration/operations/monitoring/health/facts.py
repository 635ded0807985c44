"""What tells of a connector whether anything is wrong at all, asked of many at once.

Nearly always nothing is: then no rule has to ask more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, bindparam, exists, func, literal_column, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.counts import Meter
from integration.models.delivery import HISTORY, Delivery
from integration.models.drift import Gap, Reconciliation
from integration.models.hold import Hold
from integration.models.run import COMPARED, SYNCS, Run, RunState
from integration.models.schedule import Schedule
from integration.models.sql import by_index, hour_of
from integration.operations.monitoring.health.waiting import DUE_LONG, STALLED
from integration.pipeline.connectors.connectors import INCREMENTAL
from integration.pipeline.outbox.states import DEAD, OPEN, OPEN_INDEX

#: Records that failed are counted over this time; the meter counts by whole hours, so up to an hour more is in it.
FAILING_WINDOW = timedelta(hours=1)
#: Runs that began longer ago no longer count.
NEWS = timedelta(days=7)
#: So many connectors are asked for at once.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connector at one moment.

    `finished` and `failed` count records of FAILING_WINDOW; `run_failed` says that a run of NEWS did, `sent_nothing`
    that the newest one read records and sent none, `last_read` when one that reads the store last ended well. `lag_s`
    is for how many seconds the oldest live or polled record has been waiting, 0 when none waits; `waits` says that
    something was due STALLED ago, `differs` that the last reconciliation found differences. `every` (seconds), `cron`
    and `next_read` are of the schedule by which the store is read, `every` 0 and `cron` "" where there is none. The
    others say whether there are such rows.
    """

    held: bool = False
    finished: int = 0
    failed: int = 0
    run_failed: bool = False
    sent_nothing: bool = False
    last_read: datetime | None = None
    lag_s: int = 0
    waits: bool = False
    has_dead: bool = False
    has_gap: bool = False
    differs: bool = False
    every: int = 0
    cron: str = ""
    next_read: datetime | None = None


def of(session: Session, now: datetime, connector_id: int) -> Facts:
    """Return the facts of one connector."""
    return many(session, now, [connector_id])[connector_id]


def many(session: Session, now: datetime, connector_ids: Collection[int]) -> Mapping[int, Facts]:
    """Return the facts of these connectors by number, in one question for each hundred of them.

    Of one that was deleted meanwhile there is nothing.
    """
    values = {"hour": hour_of(now - FAILING_WINDOW), "begin": now - NEWS, "due": now - STALLED}
    found = dict.fromkeys(connector_ids, Facts())
    for ids in _parts(sorted(connector_ids)):
        for row in session.execute(_FACTS, {**values, "ids": ids}):
            found[row.id] = _facts(now, row)
    return found


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _facts(now: datetime, row: Row[Any]) -> Facts:
    lag_s = max(int((now - row.oldest).total_seconds()), 0) if row.oldest else 0
    return Facts(
        held=bool(row.held),
        finished=row.finished or 0,
        failed=row.failed or 0,
        run_failed=bool(row.run_failed),
        sent_nothing=bool(row.sent_nothing),
        last_read=row.last_read,
        lag_s=lag_s,
        waits=bool(row.waits),
        has_dead=bool(row.has_dead),
        has_gap=bool(row.has_gap),
        differs=bool(row.differs),
        every=row.every or 0,
        cron=row.cron or "",
        next_read=row.next_run_at,
    )


def _of_delivery(column: Any, *conditions: ColumnElement[bool], index: str = OPEN_INDEX) -> Select[Any]:
    return by_index(select(column).where(Delivery.connector_id == Connector.id, *conditions), Delivery, index)


def _of_meter(counter: Any) -> ScalarSelect[Any]:
    mine = (Meter.connector_id == Connector.id, Meter.hour >= bindparam("hour", type_=Meter.hour.type))
    return select(func.sum(counter)).where(*mine).scalar_subquery()


def _newest(column: Any, *states: RunState) -> ScalarSelect[Any]:
    """Return the query for a column of the newest run that read the store and ended so."""
    well = (Run.connector_id == Connector.id, Run.state.in_(states), Run.kind.in_(SYNCS), ~Run.is_dry)
    return select(column).where(*well).order_by(Run.id.desc()).limit(1).scalar_subquery()


def _any_failed() -> Select[Any]:
    failed = (Run.state == literal_column("'FAILED'"), Run.created_at >= bindparam("begin", type_=Run.created_at.type))
    return by_index(select(Run.id).where(Run.connector_id == Connector.id, *failed), Run, "ix_run_failed")


def _last_compared(column: Any) -> ScalarSelect[Any]:
    """Return the query for a column of the last reconciliation that came to its end."""
    ended = (Reconciliation.connector_id == Connector.id, COMPARED, Reconciliation.state == RunState.COMPLETED)
    newest = select(column).where(*ended).order_by(Reconciliation.id.desc()).limit(1)
    return by_index(newest, Run, "ix_run_compared").scalar_subquery()


# Of the column alone PostgreSQL takes the least from the oldest end of another index, through all that was ever sent.
_OLDEST = func.min(func.coalesce(Delivery.created_at, Delivery.created_at))
_ASKED = select(
    Connector.id,
    exists().where(Hold.connector_id == Connector.id, Hold.released_at.is_(None)).label("held"),
    _of_meter(Meter.pushed + Meter.skipped + Meter.failed).label("finished"),
    _of_meter(Meter.failed).label("failed"),
    _any_failed().exists().label("run_failed"),
    _newest(Run.sent_nothing, RunState.COMPLETED, RunState.FAILED).label("sent_nothing"),
    _newest(Run.ended_at, RunState.COMPLETED).label("last_read"),
    _of_delivery(_OLDEST, OPEN, Delivery.priority < HISTORY).scalar_subquery().label("oldest"),
    _of_delivery(Delivery.id, *DUE_LONG).exists().label("waits"),
    _of_delivery(Delivery.id, DEAD, index="ix_delivery_dead").exists().label("has_dead"),
    exists().where(Gap.connector_id == Connector.id, Gap.healed_at.is_(None)).label("has_gap"),
    _last_compared(Reconciliation.missing + Reconciliation.doubled + Reconciliation.differs > 0).label("differs"),
    Schedule.every,
    Schedule.cron,
    Schedule.next_run_at,
).where(Connector.id.in_(bindparam("ids", expanding=True)))
_POLLED = (Schedule.connector_id == Connector.id) & (Schedule.job == INCREMENTAL)
_FACTS = _ASKED.select_from(Connector).outerjoin(Schedule, _POLLED)
