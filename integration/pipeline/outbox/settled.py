"""Records that need no way to Mautic: they are written settled, as if they had gone and come back."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, case, insert
from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.delivery import Delivery
from integration.models.record_stamp import OF_RECORDS, RecordStamp
from integration.models.sql import alike, copying, table_of
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox.acceptance import row_of
from integration.pipeline.outbox.settling import final
from integration.pipeline.outbox.tally import Tally, state_of

#: What tells the delivery of a known record from others: its stamp says it.
_BY_STAMP: Mapping[str, Any] = {
    "source_id": RecordStamp.source_id,
    "number": RecordStamp.number,
    "event": RecordStamp.event,
    "identity": RecordStamp.kind + ":" + RecordStamp.source_id + ":" + RecordStamp.event + ":" + RecordStamp.version,
    "person_key": RecordStamp.person_key,
    "modified_at": RecordStamp.modified_at,
    "reached_at": RecordStamp.reached_at,
    "contact_id": RecordStamp.contact_id,
    "error_code": RecordStamp.code,
    "error": case((RecordStamp.code != "", RecordStamp.message), else_=""),
}


def add_settled(
    session: Session, now: datetime, connector_id: int, found: Sequence[tuple[Change, Outcome]], run_id: int
) -> list[int]:
    """Write changes with what became of each and return the ids of their deliveries, in the same order.

    Each record is there once. Their people have nothing open, so that nobody waits behind them.
    """
    rows = [_row(now, connector_id, change, outcome, run_id) for change, outcome in found]
    table = table_of(Delivery)
    # Were the ids asked for in the order of the rows, SQLite would be given one row at a time.
    added = insert(table).returning(table.c.id, table.c.kind, table.c.source_id)
    numbers = {(kind, source_id): number for number, kind, source_id in session.connection().execute(added, rows)}
    tally = Tally(connector_id)
    for change, outcome in found:
        assert outcome.state is not None, "only what has come to an end is written settled"
        tally.settled(now, change.kind, state_of(outcome.state, outcome.partial), outcome.result)
    tally.write(session)
    return [numbers[change.kind, change.source_id] for change, _ in found]


def _row(now: datetime, connector_id: int, change: Change, outcome: Outcome, run_id: int) -> Mapping[str, Any]:
    settled = {name: value for name, value in final(now, outcome).items() if name != "b_id"}
    once = {"attempts": 1, "started_at": now, "payload": None}
    return {**row_of(now, connector_id, change, run_id), **settled, **once}


def add_known(
    session: Session, now: datetime, connector_id: int, each: tuple[Change, Outcome], run_id: int, ids: Sequence[str]
) -> dict[str, int]:
    """Write records settled by their stamps, and return source id -> delivery of those that have one still.

    `each` is what is the same of all; `ids` are the source ids of those of its kind. The database copies the rest by
    itself: to make these rows here would take longer than all else that is done of them.
    """
    change, outcome = each
    assert outcome.state is not None, "only what has come to an end is written settled"
    row = _row(now, connector_id, change, outcome, run_id)
    mine = {"of_connector": connector_id, "of_kind": change.kind, "source_ids": ids}
    rows = session.connection().execute(_copying(tuple(row)), {**alike(row), **mine})
    added = dict(rows.tuples().all())
    tally = Tally(connector_id)
    tally.settled(now, change.kind, state_of(outcome.state, outcome.partial), outcome.result, len(added))
    tally.write(session)
    return added


@functools.cache
def _copying(names: tuple[str, ...]) -> Executable:
    table = table_of(Delivery)
    return copying(Delivery, names, _BY_STAMP, OF_RECORDS).returning(table.c.source_id, table.c.id)
