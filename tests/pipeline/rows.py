"""Rows as the pipeline leaves them, for tests that only read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from integration.identity import person_key_of
from integration.models import Attempt, ContactLink, Delivery, FollowUpMark, Hold, LedgerEntry, Run, SyncLogEntry
from integration.models.base import Base
from integration.pipeline.services import Services
from tests.conftest import NOON

ADA = person_key_of("ada@example.com")
BOB = person_key_of("bob@example.com")
#: Every state of a record, with what else a record in it has.
ENDS: dict[str, dict[str, Any]] = {
    "delivered": {"contact_id": 77, "result": "created"},
    "skipped": {"error_code": "unchanged", "error": "Nothing has changed since the last sync.", "contact_id": 77},
    "dead": {"error_code": "refused", "error": "Mautic refused the value.", "category": "permanent"},
    "discarded": {"discard_reason": "a test order"},
    "conflict": {"error": "The city was kept.", "contact_id": 77},
}


def minutes(number: int) -> datetime:
    """A moment so many minutes after noon."""
    return NOON + timedelta(minutes=number)


def store(services: Services, *rows: Base) -> list[Any]:
    """Write the rows and return them with their ids."""
    with services.db.write() as session:
        session.add_all(rows)
        session.flush()
    return list(rows)


def delivery(connector_id: int, source: str, state: str = "delivered", at: int = 0, **values: Any) -> Delivery:
    """An order's record that was accepted so many minutes after noon; it ended a minute later unless it is open."""
    ended = {} if state in ("waiting", "ready", "leased") else {"settled_at": minutes(at + 1)}
    fields = {
        "kind": "order",
        "number": source,
        "event": "completed",
        "identity": f"order:{source}:{at}",
        "person_key": ADA,
        "origin": "webhook",
        "due_at": minutes(at),
        **ended,
        **values,
    }
    return Delivery(
        connector_id=connector_id,
        source_id=source,
        state=state,
        payload_at=minutes(at),
        created_at=minutes(at),
        **fields,
    )


def link(connector_id: int, contact_id: int = 77, person_key: str = ADA) -> ContactLink:
    """A person who is in Mautic."""
    return ContactLink(
        connector_id=connector_id, person_key=person_key, contact_id=contact_id, fields={}, written_at=minutes(1)
    )


def entry(connector_id: int, order_id: int, status: str = "completed", **values: Any) -> LedgerEntry:
    """An order in the ledger: 10.00 EUR of Ada."""
    fields = {
        "person_key": ADA,
        "net_total": "10.00",
        "currency": "EUR",
        "ordered_at": minutes(order_id % 1000),
        **values,
    }
    return LedgerEntry(connector_id=connector_id, order_id=order_id, status=status, **fields)


def log(connector_id: int, object_id: str, at: int = 0, **values: Any) -> SyncLogEntry:
    """An entry of the sync log."""
    fields = {"type": "order", "action": "create_or_update", "status": "success", "person_key": ADA, **values}
    return SyncLogEntry(connector_id=connector_id, object_id=object_id, at=minutes(at), **fields)


def attempt(row: Delivery, at: int, outcome: str = "delivered", **values: Any) -> Attempt:
    """A try of a record."""
    return Attempt(
        connector_id=row.connector_id, delivery_id=row.id, at=minutes(at), seconds=0.2, outcome=outcome, **values
    )


def mark(
    connector_id: int, order_id: str, action: str = "create_note", state: str = "done", at: int = 0
) -> FollowUpMark:
    """A note or an e-mail."""
    return FollowUpMark(
        connector_id=connector_id,
        order_id=order_id,
        status="completed",
        action=action,
        state=state,
        contact_id=77,
        remote_id=5,
        started_at=minutes(at),
        done_at=minutes(at) if state == "done" else None,
    )


def run(connector_id: int, kind: str = "initial", state: str = "COMPLETED") -> Run:
    """A run; one that has ended, unless another state is wished."""
    return Run(
        connector_id=connector_id,
        kind=kind,
        state=state,
        correlation_id="0a1b2c3d-0000-4000-8000-00000000000f",
        created_at=NOON,
    )


def hold(connector_id: int, service: str = "mautic") -> Hold:
    """A connection at fault."""
    return Hold(
        connector_id=connector_id,
        service=service,
        code="unreachable",
        sentence="Mautic does not answer.",
        since=NOON,
        probe_at=minutes(5),
    )
