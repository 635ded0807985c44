"""Reads the store again before a retry whose payload has grown old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from typing import Any

from integration.errors import ServiceError
from integration.events import Kind
from integration.events import Origin
from integration.models.connector import Connector
from integration.pipeline.corrections import corrected
from integration.pipeline.ledger import LEAVES
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.pipeline.ports import Ports
from integration.store import reading
from integration.store.client import StoreClient

OLD = timedelta(minutes=5)


def freshen(
    ports: Ports, connector: Connector, lines: Sequence[Line], correlation_id: str = ""
) -> tuple[list[Line], frozenset[int]]:
    """Return the lines with new payloads where a retry's was older than five minutes, and the ids that are gone.

    When the store cannot be read the old payload serves: the order of things must not hang on both systems.
    """
    now = ports.clock.now()
    items = [item for line in lines for item in line.items if item.source_id.isdigit()]
    stale = [i for i in items if _is_stale(i, now) and i.what not in LEAVES]
    nameless = [i for i in items if i.what == "deleted" and i.kind is Kind.ORDER and not i.payload.get("email")]
    if not (stale or nameless) or not connector.store_url:
        return list(lines), frozenset()
    try:
        client = ports.open_store(connector, correlation_id, obeys=True)
        found = _read(client, stale)
        names = _names(client, nameless)
    except ServiceError:
        return list(lines), frozenset()
    gone = frozenset(item.id for item in stale if (item.kind, item.source_id) not in found)
    return [Line(line.subject, tuple(_fresh(item, found, names) for item in line.items)) for line in lines], gone


def _is_stale(item: Item, now: datetime) -> bool:
    """Tell whether the record is to be read again: a replay always, a retry when its payload has grown old."""
    return item.origin is Origin.REPLAY or (item.attempts > 1 and now - item.payload_at > OLD)


def _read(client: StoreClient, stale: Sequence[Item]) -> dict[tuple[Kind, str], dict[str, Any]]:
    orders = sorted({int(item.source_id) for item in stale if item.kind is Kind.ORDER})
    people = sorted({int(item.source_id) for item in stale if item.kind is Kind.CONTACT})
    found = {(Kind.ORDER, str(row["id"])): row for row in reading.fetch_orders(client, orders)} if orders else {}
    if people:
        found |= {(Kind.CONTACT, str(row["id"])): row for row in reading.fetch_customers(client, people)}
    return found


def _names(client: StoreClient, nameless: Sequence[Item]) -> dict[int, str]:
    """Return the e-mail of trashed orders, whose webhook names only the id; the trash can still be read (155)."""
    rows = {item.id: reading.fetch_order(client, int(item.source_id)) for item in nameless}
    return {key: str((row.get("billing") or {}).get("email") or "") for key, row in rows.items() if row}


def _fresh(item: Item, found: dict[tuple[Kind, str], dict[str, Any]], names: dict[int, str]) -> Item:
    if item.id in names:
        return replace(item, payload={**item.payload, "email": names[item.id]})
    row = found.get((item.kind, item.source_id))
    fresh = row is not None and (item.attempts > 1 or item.origin is Origin.REPLAY) and item.what not in LEAVES
    return replace(item, payload=corrected(row or {}, item.corrections)) if fresh else item
