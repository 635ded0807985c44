"""Reads the store again before a retry whose payload has grown old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from integration.errors import ServiceError
from integration.events import Kind
from integration.models.connector import Connector
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.pipeline.ports import Ports
from integration.store import reading

OLD = timedelta(minutes=5)


def freshen(ports: Ports, connector: Connector, lines: Sequence[Line]) -> tuple[list[Line], frozenset[int]]:
    """Return the lines with new payloads where a retry's was older than five minutes, and the ids that are gone.

    When the store cannot be read the old payload serves: the order of things must not hang on both systems.
    """
    now = ports.clock.now()
    stale = [i for line in lines for i in line.items if i.attempts > 1 and now - i.payload_at > OLD]
    stale = [item for item in stale if item.what != "deleted" and item.source_id.isdigit()]
    if not stale or not connector.store_url:
        return list(lines), frozenset()
    try:
        found = _read(ports, connector, stale)
    except ServiceError:
        return list(lines), frozenset()
    gone = frozenset(item.id for item in stale if (item.kind, item.source_id) not in found)
    return [Line(line.subject, tuple(_fresh(item, found) for item in line.items)) for line in lines], gone


def _read(ports: Ports, connector: Connector, stale: Sequence[Item]) -> dict[tuple[Kind, str], dict[str, Any]]:
    client = ports.open_store(connector)
    orders = sorted({int(item.source_id) for item in stale if item.kind is Kind.ORDER})
    people = sorted({int(item.source_id) for item in stale if item.kind is Kind.CONTACT})
    found = {(Kind.ORDER, str(row["id"])): row for row in reading.fetch_orders(client, orders)} if orders else {}
    if people:
        found |= {(Kind.CONTACT, str(row["id"])): row for row in reading.fetch_customers(client, people)}
    return found


def _fresh(item: Item, found: dict[tuple[Kind, str], dict[str, Any]]) -> Item:
    row = found.get((item.kind, item.source_id))
    return replace(item, payload=row) if row is not None and item.attempts > 1 else item
