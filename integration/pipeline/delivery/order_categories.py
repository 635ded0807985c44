"""The categories of the products that a batch's orders are of: kept a day, asked for where one is not known (P35).

What the store does not tell is left out of the tags and never holds an order back; that it refuses is said once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import MappingError, ServiceError
from integration.models.connector import Connector
from integration.models.product_categories import ProductCategories
from integration.models.sql import upsert
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry
from integration.store.categories import read_categories
from integration.store.sanitizing import INTEGER_MAX

log = logging.getLogger(__name__)

#: So long categories are taken for what they were; older ones are read again, and serve while that fails.
MAX_AGE = timedelta(days=1)
#: So long a store that did not tell is not asked again.
PAUSE = timedelta(hours=1)
#: Key of a connector's store facts: since when, and why, the store does not tell its products' categories.
REFUSED = "categories_refused"
ACTION = "read_categories"


def laid(session: Session, context: BatchContext, groups: Sequence[DeliveryGroup]) -> BatchContext:
    """Return the context with the categories that are known; the store is not asked."""
    ids = _products(context, groups)
    return replace(context, categories={key: slugs for key, (slugs, _) in _kept(session, context, ids).items()})


def untold(session: Session, now: datetime, context: BatchContext, groups: Sequence[DeliveryGroup]) -> frozenset[str]:
    """Return the people of whose orders' products `completed` would ask the store."""
    products = {group.person_key: _products(context, [group]) for group in groups}
    kept = _kept(session, context, frozenset[int]().union(*products.values()))
    known = {key for key, (_, read_at) in kept.items() if now - read_at <= MAX_AGE}
    return frozenset(person_key for person_key, ids in products.items() if not ids <= known)


def completed(
    services: Services, context: BatchContext, groups: Sequence[DeliveryGroup], correlation_id: str
) -> BatchContext:
    """Return the context with the categories of all products of these orders, as far as the store tells them."""
    ids = _products(context, groups)
    if not ids:
        return context
    now = services.clock.now()
    with services.db.read() as session:
        kept = _kept(session, context, ids)
        refused = _refused_at(session.get_one(Connector, context.connector.id))
    old = sorted(key for key in ids if key not in kept or now - kept[key][1] > MAX_AGE)
    fresh: Mapping[int, tuple[str, ...]] = {}
    if old and context.connector.store_url and (refused is None or now - refused > PAUSE):
        fresh = _read(services, context, groups, old, correlation_id)
    return replace(context, categories={key: slugs for key, (slugs, _) in kept.items()} | dict(fresh))


def why_refused(connector: Connector) -> str:
    """Return why the store does not tell its products' categories, "" while it does."""
    return str((connector.store_facts.get(REFUSED) or {}).get("why") or "")


def _products(context: BatchContext, groups: Sequence[DeliveryGroup]) -> frozenset[int]:
    module = context.modules.orders
    if not (module.enabled and module.category_tags):
        return frozenset()
    synced = (each for group in groups for each in group.deliveries if _is_synced(each, module.statuses))
    return frozenset(number for leased in synced for number in _of_order(leased))


def _is_synced(leased: LeasedDelivery, statuses: Collection[str]) -> bool:
    return streams.of(leased.kind).in_ledger and leased.event in (*statuses, "updated")


def _of_order(leased: LeasedDelivery) -> Iterator[int]:
    try:
        yield from (item.product_id for item in leased.record.items if 0 < item.product_id <= INTEGER_MAX)
    except MappingError:
        # Its own delivery says what is wrong with it.
        return


def _kept(session: Session, context: BatchContext, ids: Collection[int]) -> dict[int, tuple[tuple[str, ...], datetime]]:
    if not ids:
        return {}
    mine = ProductCategories.connector_id == context.connector.id
    rows = session.scalars(select(ProductCategories).where(mine, ProductCategories.product_id.in_(sorted(ids))))
    return {row.product_id: (tuple(map(str, row.slugs)), row.read_at) for row in rows}


def _refused_at(connector: Connector) -> datetime | None:
    at = (connector.store_facts.get(REFUSED) or {}).get("at")
    return datetime.fromisoformat(at) if at else None


def _read(
    services: Services,
    context: BatchContext,
    groups: Sequence[DeliveryGroup],
    ids: Sequence[int],
    correlation_id: str,
) -> Mapping[int, tuple[str, ...]]:
    try:
        found = read_categories(services.open_store(context.connector, correlation_id), ids)
    except ServiceError as error:
        _note_refusal(services, context, groups, error)
        return {}
    with services.db.write() as session:
        now, connector = services.clock.now(), session.get_one(Connector, context.connector.id)
        rows = [
            {"connector_id": connector.id, "product_id": key, "slugs": list(slugs), "read_at": now}
            for key, slugs in found.items()
        ]
        upsert(session, ProductCategories, rows, ("slugs", "read_at"))
        if REFUSED in connector.store_facts:
            connector.store_facts = {key: each for key, each in connector.store_facts.items() if key != REFUSED}
    return found


def _note_refusal(
    services: Services, context: BatchContext, groups: Sequence[DeliveryGroup], error: ServiceError
) -> None:
    """Keep that the store does not tell; the sync log says so when it begins, and not for every order."""
    log.info("The categories of products could not be read, so their tags are left out: %s", error)
    now = services.clock.now()
    with services.db.write() as session:
        connector = session.get_one(Connector, context.connector.id)
        begins = REFUSED not in connector.store_facts
        connector.store_facts = {**connector.store_facts, REFUSED: {"at": now.isoformat(), "why": str(error)}}
        if begins:
            sync_log_writing.record(session, [_entry(connector.id, now, groups, context, error)])


def _entry(
    connector_id: int, now: datetime, groups: Sequence[DeliveryGroup], context: BatchContext, error: ServiceError
) -> Entry:
    statuses = context.modules.orders.statuses
    first = next(each for group in groups for each in group.deliveries if _is_synced(each, statuses))
    sentence = f"The store does not tell its products' categories, so category tags are left out until it does. {error}"
    return Entry(
        connector_id,
        now,
        first.kind,
        first.object_id,
        ACTION,
        sync_log_writing.ERROR,
        sentence,
        source_id=first.source_id,
        person_key=first.person_key,
        delivery_id=first.id,
        run_id=first.run_id,
    )
