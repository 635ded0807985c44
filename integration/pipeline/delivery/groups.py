"""Groups and outcomes: what claim hands out and settle takes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from integration import streams
from integration.events import Change, Kind, Origin
from integration.models.delivery import Delivery, DeliveryState
from integration.pipeline.dead_letters.corrections import corrected


@dataclass(frozen=True)
class LeasedDelivery:
    """One leased delivery, free of its session; `result` is what an earlier try wrote of it, "" for nothing."""

    id: int
    kind: Kind
    source_id: str
    number: str
    event: str
    person_key: str
    origin: Origin
    payload: Mapping[str, Any]
    payload_at: datetime
    attempts: int
    run_id: int | None = None
    corrections: Mapping[str, Any] | None = None
    modified_at: datetime | None = None
    reached_at: datetime | None = None
    error_code: str = ""
    faults: int = 0
    result: str = ""

    @cached_property
    def record(self) -> Any:
        """Return the record, parsed once for all that look at it; raises MappingError when it cannot be read."""
        return streams.of(self.kind).parse(self.payload)

    @property
    def object_id(self) -> str:
        """Return what the log's Object ID column shows: the order number, else the record's id."""
        return self.number or self.source_id


@dataclass(frozen=True, slots=True)
class DeliveryGroup:
    """All open deliveries of one person, oldest first."""

    person_key: str
    deliveries: tuple[LeasedDelivery, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery. `state` None means later, after `wait`; `result` is then what is written already.

    `faults` are the tries so far that count against the record, `category` says whose fault an error is
    (retries.Category).
    """

    delivery_id: int
    state: DeliveryState | None
    result: str = ""
    contact_id: int | None = None
    partial: bool = False
    error_code: str = ""
    message: str = ""
    wait: timedelta | None = None
    faults: int = 0
    run_id: int | None = None
    category: str = ""


def group(rows: Iterable[Delivery], order: Sequence[str]) -> list[DeliveryGroup]:
    """Return the rows as groups, the people in the given order."""
    groups: dict[str, list[LeasedDelivery]] = {person_key: [] for person_key in order}
    for row in rows:
        groups.setdefault(row.person_key, []).append(of_row(row))
    return [DeliveryGroup(person_key, tuple(items)) for person_key, items in groups.items() if items]


def of_row(row: Delivery) -> LeasedDelivery:
    """Return a row of the outbox free of its session, with a person's corrections in its payload."""
    return LeasedDelivery(
        id=row.id,
        kind=Kind(row.kind),
        source_id=row.source_id,
        number=row.number,
        event=row.event,
        person_key=row.person_key,
        origin=Origin(row.origin),
        payload=corrected(row.payload or {}, row.corrections),
        payload_at=row.payload_at,
        attempts=row.attempts,
        faults=row.faults,
        corrections=row.corrections,
        modified_at=row.modified_at,
        reached_at=row.reached_at,
        run_id=row.run_id,
        error_code=row.error_code,
        result=row.result,
    )


def of_change(number: int, change: Change, run_id: int | None = None, record: Any = None) -> LeasedDelivery:
    """Return a change as its delivery at its first try, for plans that are only looked at.

    It has no row in the outbox: `number` is its id among those that are planned together. `record` is the change's own
    where that was parsed before.
    """
    leased = LeasedDelivery(
        id=number,
        kind=change.kind,
        source_id=change.source_id,
        number=change.number,
        event=change.event,
        person_key=change.ordering_key,
        origin=change.origin,
        payload=change.payload,
        payload_at=change.seen_at,
        attempts=1,
        run_id=run_id,
        modified_at=change.modified_at,
        reached_at=change.reached_at,
    )
    if record is not None:
        # Where a cached property keeps its value; nothing of a frozen row is changed by it.
        leased.__dict__["record"] = record
    return leased
