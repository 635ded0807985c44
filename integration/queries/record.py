"""One record: every attempt, and what was sent beside what the store has now (A5, X2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import IntegrationError, MappingError
from integration.events import Origin
from integration.models.attempt import Attempt
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.pipeline.dead_letters.corrections import corrected
from integration.pipeline.delivery import batch_context as batch_context, order_categories, planning
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery, of_row
from integration.pipeline.services import Services
from integration.record_ids import is_given
from integration.streams import subscriptions

NOT_IN_STORE = IntegrationError(
    "gone", "The record no longer exists in the store.", "Discard it, or restore it in the store and send it again."
)
NOT_KEPT = IntegrationError(
    "not_kept",
    "The record has ended, and what it held is no longer kept.",
    "Look at the attempts: they say what was sent.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One value: as it was last sent, and as it would be sent now; None where it is not there."""

    name: str
    sent: Any
    now: Any

    @property
    def same(self) -> bool:
        """Return whether nothing would change."""
        return bool(str(self.sent) == str(self.now))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was sent against what the store has now; `skip` says why nothing would be sent now."""

    rows: Sequence[Row]
    skip: str = ""


def attempts(session: Session, delivery_id: int, limit: int = 50) -> Sequence[Attempt]:
    """Return the attempts that are kept of a record, newest first."""
    query = select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id.desc()).limit(limit)
    return session.scalars(query).all()


def compare(services: Services, connector: Connector, row: Delivery, tried: Sequence[Attempt]) -> Comparison:
    """Read the record from the store and map it; raises IntegrationError when the store cannot be read."""
    payload = _read(services, connector, row)
    leased = _sent_now(row, payload)
    group = DeliveryGroup(row.person_key, (leased,))
    with services.db.read() as session:
        context = batch_context.lay(session, connector, [row.person_key], frozenset({leased.run_id or 0}))
        context = order_categories.laid(session, context, [group])
    planned = planning.plan_group(group, context)
    if planned.errors:
        raise planned.errors[leased.id]
    bodies = [dict(attempt.sent or {}).get("fields") for attempt in tried]
    sent: dict[str, Any] = next((body for body in bodies if body), {})
    skip = planned.skips[leased.id].sentence if leased.id in planned.skips else ""
    return Comparison(_rows(sent, _wanted(planned)), skip)


def _read(services: Services, connector: Connector, row: Delivery) -> Mapping[str, Any]:
    if streams.of(row.kind).kept_here or subscriptions.number_of(row.source_id) or is_given(row.source_id):
        if row.payload is None:
            raise NOT_KEPT
        return corrected(row.payload, row.corrections)
    if not row.source_id.isdigit():
        raise MappingError("no_id", "This record has no id that the store knows.", "Look at it in the store.")
    client = services.open_store(connector)
    found = streams.of(row.kind).look_up(client, row.source_id)
    if not found:
        raise NOT_IN_STORE
    return found


def _sent_now(row: Delivery, payload: Mapping[str, Any]) -> LeasedDelivery:
    """Return the record as it would be sent now: as a replay, of what the store has."""
    what = row.event if row.event != "deleted" else str(payload.get("status") or "updated")
    now = corrected(payload, row.corrections)
    return replace(of_row(row), event=what, origin=Origin.REPLAY, payload=now, attempts=1, run_id=0, reached_at=None)


def _wanted(planned: planning.PersonPlan) -> dict[str, Any]:
    if planned.write is None:
        return {}
    return {"email": planned.write.email, **planned.write.fields, "tags": list(planned.write.tags)}


def _rows(sent: Mapping[str, Any], now: Mapping[str, Any]) -> list[Row]:
    names = [name for name in dict.fromkeys([*sent, *now]) if name not in ("id", "overwriteWithBlank")]
    return [Row(name, sent.get(name), now.get(name)) for name in names]
