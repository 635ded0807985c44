"""Retention: old rows leave in small batches, so that nobody waits for the writer's lock."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from integration.carts.recovery import kept_since
from integration.models.connector import Connector
from integration.models.organisation import Organisation
from integration.operations.audit.retirement import retire_chain
from integration.operations.retention import log, rows
from integration.operations.retention.batches import Batches
from integration.operations.retention.keep import Keep, save
from integration.settings import Modules
from integration.subscriptions.forgetting import forget_unconfirmed

if TYPE_CHECKING:
    from integration.pipeline.services import Services

__all__ = ["PRUNE_BATCH_ROWS", "Keep", "prune", "save"]
PRUNE_BATCH_ROWS = 1000


def prune(
    services: Services,
    now: datetime,
    *,
    batch: int = PRUNE_BATCH_ROWS,
    pause: Callable[[], None] = lambda: time.sleep(0.01),
) -> dict[str, int]:
    """Delete what is older than its organisation keeps and return how many rows of each kind went.

    Dead letters and open work stay, however old.
    """
    work = Batches(services.db, batch, pause)
    gone: Counter[str] = Counter(cleared=log.purge_cleared(services.db, work, now))
    for organisation, connectors in _owners(services):
        keep = Keep.of(organisation)
        for connector_id in connectors:
            gone.update(_of_connector(services, work, connector_id, keep, now))
        before = now - timedelta(days=keep.audit)
        gone["audit"] += retire_chain(services.db, organisation.id, before, now, batch=batch, pause=pause)
    before = now - timedelta(days=Keep().audit)
    gone["audit"] += retire_chain(services.db, None, before, now, batch=batch, pause=pause)
    gone["heartbeats"] = rows.purge_common(work, now)
    return dict(gone)


def _owners(services: Services) -> list[tuple[Organisation, list[int]]]:
    with services.db.read() as session:
        organisations = session.scalars(select(Organisation).order_by(Organisation.id)).all()
        connectors = session.execute(select(Connector.organisation_id, Connector.id).order_by(Connector.id)).all()
    return [(each, [key for owner, key in connectors if owner == each.id]) for each in organisations]


def _of_connector(services: Services, work: Batches, connector_id: int, keep: Keep, now: datetime) -> dict[str, int]:
    def ago(days: int) -> datetime:
        return now - timedelta(days=days)

    with services.db.read() as session:
        stored = session.scalar(select(Connector.settings).where(Connector.id == connector_id))
    module = Modules.from_json(stored or {}).carts
    return {
        "success": log.purge_aged(work, connector_id, ago(keep.success), errors=False),
        "errors": log.purge_aged(work, connector_id, ago(keep.errors), errors=True),
        "deliveries": rows.purge_records(work, connector_id, ago(keep.deliveries)),
        "runs": rows.purge_runs(services.db, work, connector_id, ago(keep.runs)),
        "carts": rows.purge_carts(work, connector_id, kept_since(module, now)),
        "findings": rows.purge_findings(work, connector_id, ago(keep.runs)),
        "keys": rows.purge_keys(work, connector_id, now),
        "unconfirmed": forget_unconfirmed(services.db, now, connector_id),
    }
