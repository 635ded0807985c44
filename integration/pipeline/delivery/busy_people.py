"""Who has something on its way to Mautic, or something that failed: another record of theirs joins that."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import literal_column, select, union_all
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.unanswered import UnansweredPerson
from integration.pipeline.outbox.states import DEAD, OPEN, WAITING, is_lead

#: Kind and source id of a record.
Record = tuple[str, str]


def among(session: Session, connector_id: int, records: Mapping[Record, str]) -> set[str]:
    """Return who of these people is busy, or has a record that is, under whatever address; `records` says whose each is
    by its ordering key."""
    people = sorted(set(records.values()))
    mine, theirs = Delivery.connector_id == connector_id, Delivery.person_key.in_(people)
    asked = (UnansweredPerson.connector_id == connector_id) & UnansweredPerson.person_key.in_(people)
    found = session.scalars(
        union_all(
            select(Delivery.person_key).where(mine, theirs, is_lead()),
            select(Delivery.person_key).where(mine, theirs, WAITING),
            select(Delivery.person_key).where(mine, theirs, DEAD),
            select(UnansweredPerson.person_key).where(asked),
        )
    )
    return {*found, *(records[record] for record in _unsettled(session, connector_id, records))}


def _unsettled(session: Session, connector_id: int, records: Collection[Record]) -> set[Record]:
    """Return which of the records have a delivery that is open, dead or partial: another one would change it."""
    which = OPEN | DEAD | literal_column("delivery.partial")
    query = select(Delivery.kind, Delivery.source_id).where(
        Delivery.connector_id == connector_id, Delivery.source_id.in_(sorted({each for _, each in records})), which
    )
    return {record for record in session.execute(query).tuples() if record in records}
