"""Reads the store again before a retry whose payload has grown old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from integration import streams
from integration.errors import ServiceError
from integration.events import Kind, Origin
from integration.models.connector import Connector
from integration.pipeline.dead_letters.corrections import corrected
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.services import Services
from integration.store.client import StoreClient
from integration.streams.base import LEAVES, Payload

PAYLOAD_AGE_MAX = timedelta(minutes=5)


def freshen(
    services: Services, connector: Connector, groups: Sequence[DeliveryGroup], correlation_id: str = ""
) -> tuple[list[DeliveryGroup], frozenset[int]]:
    """Return the groups with new payloads where a retry's was older than five minutes, and the ids that are gone.

    When the store cannot be read the old payload serves: the order of things must not hang on both systems.
    """
    now = services.clock.now()
    deliveries = [leased for group in groups for leased in group.deliveries if leased.source_id.isdigit()]
    stale = [leased for leased in deliveries if _is_stale(leased, now) and leased.event not in LEAVES]
    nameless = [leased for leased in deliveries if streams.of(leased.kind).lacks_email(leased)]
    if not (stale or nameless) or not connector.store_url:
        return list(groups), frozenset()
    try:
        client = services.open_store(connector, correlation_id, obeys=True)
        found = _read(client, stale)
        names = _names(client, nameless)
    except ServiceError:
        return list(groups), frozenset()
    gone = frozenset(leased.id for leased in stale if (leased.kind, leased.source_id) not in found)
    return [
        DeliveryGroup(group.person_key, tuple(_fresh(leased, found, names) for leased in group.deliveries))
        for group in groups
    ], gone


def _is_stale(leased: LeasedDelivery, now: datetime) -> bool:
    """Tell whether the record is to be read again: a replay always, a retry when its payload has grown old."""
    return leased.origin is Origin.REPLAY or (leased.attempts > 1 and now - leased.payload_at > PAYLOAD_AGE_MAX)


def _read(client: StoreClient, stale: Sequence[LeasedDelivery]) -> dict[tuple[Kind, str], Payload]:
    found: dict[tuple[Kind, str], Payload] = {}
    for kind in sorted({leased.kind for leased in stale}):
        rows = streams.of(kind).refresh(client, {leased.source_id for leased in stale if leased.kind is kind})
        found |= {(kind, source_id): row for source_id, row in rows.items()}
    return found


def _names(client: StoreClient, nameless: Sequence[LeasedDelivery]) -> dict[int, str]:
    found = {leased.id: streams.of(leased.kind).find_email(client, leased.source_id) for leased in nameless}
    return {key: email for key, email in found.items() if email is not None}


def _fresh(
    leased: LeasedDelivery, found: Mapping[tuple[Kind, str], Payload], names: Mapping[int, str]
) -> LeasedDelivery:
    if leased.id in names:
        return replace(leased, payload={**leased.payload, "email": names[leased.id]})
    row = found.get((leased.kind, leased.source_id))
    fresh = row is not None and (leased.attempts > 1 or leased.origin is Origin.REPLAY) and leased.event not in LEAVES
    return replace(leased, payload=corrected(row or {}, leased.corrections)) if fresh else leased
