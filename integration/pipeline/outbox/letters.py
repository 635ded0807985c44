"""One open dead letter per record: a newer failure adds to it, any later success closes it, and what was partial."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery, DeliveryState
from integration.models.membership import among
from integration.models.sql import by_index
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.delivery.outcomes import FIELDS_MISSING
from integration.pipeline.outbox.states import DEAD, LETTERS_INDEX, PARTIAL, PARTIAL_RECORDS_INDEX
from integration.pipeline.outbox.tally import Tally, state_of

#: (kind, source id): what makes two deliveries one record.
RecordKey = tuple[str, str]
#: Few enough bound values for every database.
_RECORDS_AT_ONCE = 200


_OF_RECORDS = select(Delivery).where(
    Delivery.connector_id == bindparam("connector_id"), among(Delivery.source_id, bindparam("source_ids"))
)
_DEAD = by_index(_OF_RECORDS.where(DEAD), Delivery, LETTERS_INDEX)
_LACKING = by_index(_OF_RECORDS.where(PARTIAL, Delivery.error_code == FIELDS_MISSING), Delivery, PARTIAL_RECORDS_INDEX)


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a newer failure takes over from the letter that it replaces; `since` is when the record first failed."""

    failures: int
    since: datetime


def succeeded(outcome: Outcome) -> bool:
    """Tell whether Mautic has the record now: written, found unchanged, or kept as somebody there changed it."""
    if outcome.state is DeliveryState.SKIPPED:
        return outcome.error_code == "unchanged"
    return outcome.state in (DeliveryState.DELIVERED, DeliveryState.CONFLICT)


def standing(outcomes: Sequence[Outcome], records: Mapping[int, RecordKey]) -> dict[RecordKey, int]:
    """Return the record -> the last of the deliveries that died or succeeded: what its letter is judged by."""
    told = [o for o in outcomes if o.state is DeliveryState.DEAD or succeeded(o)]
    return {records[o.delivery_id]: o.delivery_id for o in sorted(told, key=lambda o: o.delivery_id)}


def give_way(
    session: Session, now: datetime, connector_id: int, successors: Mapping[RecordKey, int]
) -> dict[int, Inherited]:
    """Close the open letters of the records for the delivery that stands for each, before that one is settled.

    Returns the successor's id -> what it inherits, where it should be a dead letter itself.
    """
    inherited: dict[int, Inherited] = {}
    tally = Tally(connector_id)
    for row in _open_letters(session, connector_id, successors):
        successor = successors[row.kind, row.source_id]
        if row.id == successor:
            continue
        since = row.failing_since or row.died_at or row.settled_at or now
        inherited[successor] = Inherited(max(row.failures, 1), since)
        tally.settled(row.created_at, row.kind, DeliveryState.DEAD, row.result, -1)
        tally.settled(row.created_at, row.kind, DeliveryState.CLOSED, row.result)
        row.state, row.closed_by, row.payload = DeliveryState.CLOSED, successor, None
    session.flush()
    tally.write(session)
    return inherited


def complete(session: Session, connector_id: int, rows: Sequence[Row[Any]]) -> None:
    """Let records count as whole that once were written without some fields: a later success has filled them."""
    records = {(row.kind, row.source_id) for row in rows}
    tally = Tally(connector_id)
    for row in _of_records(session, connector_id, records, _LACKING):
        tally.settled(row.created_at, row.kind, state_of(row.state, row.partial), row.result, -1)
        tally.settled(row.created_at, row.kind, row.state, row.result)
        row.partial, row.payload, row.error_code, row.error, row.category = False, None, "", "", ""
    session.flush()
    tally.write(session)


def has_letter(session: Session, connector_id: int, records: Collection[RecordKey]) -> set[RecordKey]:
    """Return which of the records have an open dead letter."""
    return {(row.kind, row.source_id) for row in _open_letters(session, connector_id, records)}


def _open_letters(session: Session, connector_id: int, records: Collection[RecordKey]) -> list[Delivery]:
    return _of_records(session, connector_id, records, _DEAD)


def _of_records(
    session: Session, connector_id: int, records: Collection[RecordKey], which: Select[tuple[Delivery]]
) -> list[Delivery]:
    sources = sorted({source_id for _, source_id in records})
    found: list[Delivery] = []
    for start in range(0, len(sources), _RECORDS_AT_ONCE):
        some = sources[start : start + _RECORDS_AT_ONCE]
        found += session.scalars(which, {"connector_id": connector_id, "source_ids": some})
    return [row for row in found if (row.kind, row.source_id) in records]
