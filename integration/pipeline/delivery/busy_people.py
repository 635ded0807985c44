"""Who has something on its way to Mautic, or something that failed: another record of theirs joins that."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select, union_all
from sqlalchemy.orm import Session

from integration.models import membership
from integration.models.delivery import Delivery
from integration.models.sql import by_index
from integration.models.unanswered import UnansweredPerson
from integration.pipeline.outbox.states import (
    DEAD,
    LETTERS_INDEX,
    OPEN,
    OPEN_RECORDS_INDEX,
    PARTIAL,
    PARTIAL_RECORDS_INDEX,
    open_of_people,
)

#: Kind and source id of a record.
Record = tuple[str, str]

_MINE = Delivery.connector_id == bindparam("of_connector")
_THEIRS = select(Delivery.person_key).where(_MINE, membership.among(Delivery.person_key, bindparam("people")))
_BUSY = union_all(
    *open_of_people(_THEIRS),
    by_index(_THEIRS.where(DEAD), Delivery, "ix_delivery_letter_person"),
    select(UnansweredPerson.person_key).where(
        UnansweredPerson.connector_id == bindparam("of_connector"),
        membership.among(UnansweredPerson.person_key, bindparam("people")),
    ),
)
_OF_RECORDS = select(Delivery.kind, Delivery.source_id).where(
    _MINE, membership.among(Delivery.source_id, bindparam("source_ids"))
)
_UNSETTLED = union_all(
    by_index(_OF_RECORDS.where(OPEN), Delivery, OPEN_RECORDS_INDEX),
    by_index(_OF_RECORDS.where(DEAD), Delivery, LETTERS_INDEX),
    by_index(_OF_RECORDS.where(PARTIAL), Delivery, PARTIAL_RECORDS_INDEX),
)


def among(session: Session, connector_id: int, records: Mapping[Record, str]) -> set[str]:
    """Return who of these people is busy, or has a record that is, under whatever address; `records` says whose each is
    by its ordering key."""
    people = sorted(set(records.values()))
    found = session.scalars(_BUSY, {"of_connector": connector_id, "people": people})
    return {*found, *(records[record] for record in _unsettled(session, connector_id, records))}


def _unsettled(session: Session, connector_id: int, records: Collection[Record]) -> set[Record]:
    """Return which of the records have a delivery that is open, dead or partial: another one would change it."""
    values = {"of_connector": connector_id, "source_ids": sorted({each for _, each in records})}
    return {record for record in session.execute(_UNSETTLED, values).tuples() if record in records}
