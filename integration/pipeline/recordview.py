"""One record: every attempt, and what was sent beside what the store has now (A5, X2)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.errors import MappingError
from integration.events import Kind
from integration.events import Origin
from integration.models.attempt import Attempt
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.pipeline import desk as desks
from integration.pipeline import planning
from integration.pipeline.corrections import corrected
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.pipeline.ports import Ports
from integration.store import reading

NOT_IN_STORE = IntegrationError(
    "gone", "The record no longer exists in the store.", "Discard it, or restore it in the store and send it again."
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


def compare(ports: Ports, connector: Connector, row: Delivery, tried: Sequence[Attempt]) -> Comparison:
    """Read the record from the store and map it; raises IntegrationError when the store cannot be read."""
    payload = _read(ports, connector, row)
    item = _item(row, corrected(payload, row.corrections))
    with ports.db.read() as session:
        desk = desks.lay(session, connector, [row.subject], frozenset({item.run_id or 0}))
    drawn = planning.draw(Line(row.subject, (item,)), desk)
    if drawn.errors:
        raise drawn.errors[item.id]
    bodies = [dict(attempt.sent or {}).get("fields") for attempt in tried]
    sent: dict[str, Any] = next((body for body in bodies if body), {})
    skip = drawn.skips[item.id].sentence if item.id in drawn.skips else ""
    return Comparison(_rows(sent, _wanted(drawn)), skip)


def _read(ports: Ports, connector: Connector, row: Delivery) -> Mapping[str, Any]:
    if not row.source_id.isdigit():
        raise MappingError("no_id", "This record has no id that the store knows.", "Look at it in the store.")
    client = ports.open_store(connector)
    if row.kind == Kind.CONTACT:
        found = next(iter(reading.fetch_customers(client, [int(row.source_id)])), None)
    else:
        found = reading.fetch_order(client, int(row.source_id))
    if not found:
        raise NOT_IN_STORE
    return found


def _item(row: Delivery, payload: Mapping[str, Any]) -> Item:
    what = row.what if row.what != "deleted" else str(payload.get("status") or "updated")
    return Item(
        row.id,
        Kind(row.kind),
        row.source_id,
        row.number,
        what,
        row.subject,
        Origin.REPLAY,
        payload,
        row.payload_at,
        1,
        run_id=0,
    )


def _wanted(drawn: planning.Drawn) -> dict[str, Any]:
    if drawn.write is None:
        return {}
    return {"email": drawn.write.email, **drawn.write.fields, "tags": list(drawn.write.tags)}


def _rows(sent: Mapping[str, Any], now: Mapping[str, Any]) -> list[Row]:
    names = [name for name in dict.fromkeys([*sent, *now]) if name not in ("id", "overwriteWithBlank")]
    return [Row(name, sent.get(name), now.get(name)) for name in names]
