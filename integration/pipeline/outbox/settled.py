"""Records that need no way to Mautic: they are written settled, as if they had gone and come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.delivery import Delivery
from integration.models.sql import table_of
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox.acceptance import row_of
from integration.pipeline.outbox.settling import final
from integration.pipeline.outbox.tally import Tally, state_of


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
