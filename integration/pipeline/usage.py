"""The meter: what a connector did, hour by hour (C4, X20)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from integration.models import counting
from integration.models.counts import ALL_BEFORE, Meter
from integration.models.sql import hour_of

COUNTERS = (
    "pulled",
    "pushed",
    "skipped",
    "failed",
    "mautic_calls",
    "store_calls",
    "single_calls",
    "proved",
    "unproved",
)
#: What `fold` is given of each hour.
FOLDED = (Meter.connector_id, *(getattr(Meter, name) for name in COUNTERS))


@dataclass(frozen=True, slots=True)
class Sums:
    """The counters of models.Meter, added up over some hours; `hour` is the start where it is about one."""

    pulled: int = 0
    pushed: int = 0
    skipped: int = 0
    failed: int = 0
    mautic_calls: int = 0
    store_calls: int = 0
    single_calls: int = 0
    proved: int = 0
    unproved: int = 0
    hour: datetime | None = None


def record(session: Session, connector_id: int, at: datetime, **increments: int) -> None:
    """Add to the counters of the hour that `at` lies in, in the caller's transaction."""
    values = {name: increments.get(name, 0) for name in COUNTERS}
    if any(values.values()):
        row = {"connector_id": connector_id, "hour": hour_of(at), **values}
        counting.add(session, Meter, [row], COUNTERS)


def fold(session: Session, rows: Sequence[Row[Any]]) -> None:
    """Add hours that were deleted to what their connectors did before all that is kept; the rows have FOLDED.

    Prometheus takes a counter that falls for one that began anew, and would count all of it again.
    """
    sums: dict[int, Counter[str]] = {}
    for row in rows:
        sums.setdefault(row.connector_id, Counter()).update({name: getattr(row, name) for name in COUNTERS})
    kept = [{"connector_id": key, "hour": ALL_BEFORE, **counters} for key, counters in sorted(sums.items())]
    counting.add(session, Meter, kept, COUNTERS)


def since(session: Session, connector_id: int, begin: datetime, end: datetime | None = None) -> Sums:
    """Return the sums of the hours from the one `begin` lies in, up to before `end`."""
    sums = [func.coalesce(func.sum(getattr(Meter, name)), 0) for name in COUNTERS]
    query = select(*sums).where(*_from(connector_id, begin))
    if end is not None:
        query = query.where(Meter.hour < end)
    numbers = session.execute(query).one()
    counters: dict[str, int] = dict(zip(COUNTERS, map(int, numbers), strict=True))
    return replace(Sums(), **counters)  # type: ignore[arg-type]  # the counters are the fields but hour


def by_hour(session: Session, connector_id: int, begin: datetime, end: datetime) -> Sequence[Sums]:
    """Return the hours from `begin` up to before `end` that have counters, oldest first."""
    query = select(Meter).where(*_from(connector_id, begin), Meter.hour < end).order_by(Meter.hour)
    return [_hour(row) for row in session.scalars(query)]


def _from(connector_id: int, begin: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return which rows are a connector's hours from a moment on: what is folded is none, however early that is."""
    return Meter.connector_id == connector_id, Meter.hour >= hour_of(begin), Meter.hour > ALL_BEFORE


def _hour(row: Meter) -> Sums:
    counters: dict[str, int] = {name: getattr(row, name) for name in COUNTERS}
    return replace(Sums(), hour=row.hour, **counters)
