"""Webhooks from the store: verified on the raw bytes, written together with those that wait, then workers are woken."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from integration.events import Change
from integration.mapping.text import clean
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.pipeline import usage
from integration.pipeline.connectors import fingerprint
from integration.pipeline.ingest import order_carts, records
from integration.pipeline.services import Services
from integration.settings import CartModule
from integration.store import webhooks
from integration.streams import asked

log = logging.getLogger(__name__)

_BY_PATH = select(Connector).where(Connector.webhook_path == bindparam("path"))
_HEARD = update(Connector).where(Connector.id == bindparam("heard_id")).values(last_webhook_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a webhook said: its change, None where it was ignored, and the whole order where that may be a cart's."""

    change: Change | None
    order: Mapping[str, Any] | None

    @property
    def keys(self) -> set[str]:
        """Return what tells its record and its person from others."""
        return {f"{self.change.kind}:{self.change.source_id}", self.change.ordering_key} if self.change else set()


def receive(services: Services, webhook_path: str, headers: Mapping[str, str], body: bytes) -> int:
    """Take one delivery of the store and return the HTTP status: 200 taken or ignored, 401, 404.

    What is signed is never refused: WooCommerce disables a webhook after five refusals in a row (woo:364 to woo:367).

    The ping that WooCommerce sends when a webhook is made carries no signature (woo:310) and changes nothing.
    """
    with services.db.read() as session:
        connector = session.scalar(_BY_PATH, {"path": webhook_path})
    if connector is None:
        return 404
    if webhooks.is_ping(headers, body):
        return 200
    lower = {name.lower(): value for name, value in headers.items()}
    secret = services.secrets(connector).get("webhook_secret", "")
    if not secret or not webhooks.verify(body, lower.get("x-wc-webhook-signature", ""), secret):
        return 401
    if fingerprint.is_elsewhere(connector, lower.get("x-wc-webhook-source", "")):
        _look_again(services, connector, lower["x-wc-webhook-source"])
        return 200
    modules = services.modules(connector)
    read = webhooks.read_delivery(lower, body, services.clock.now(), asked.by(modules))
    if isinstance(read, webhooks.Ignored):
        log.warning(
            "A webhook of connector %d was ignored (topic %.40s, delivery %.40s): %s",
            connector.id,
            clean(lower.get("x-wc-webhook-topic", "")),
            clean(lower.get("x-wc-webhook-delivery-id", "")),
            read.reason,
        )
    module = modules.carts
    order = webhooks.whole_order(lower, body) if module.enabled else None
    taken = _Taken(read if isinstance(read, Change) else None, order)
    services.webhooks.write(connector.id, taken, partial(_accept, services, connector, module))
    return 200


def _look_again(services: Services, connector: Connector, source: str) -> None:
    """Leave out what another shop sends, a copy with its webhooks in it, and let the next read ask where the store is.

    Where the store has moved that read finds it, and what the webhooks told of.
    """
    log.warning("A webhook of connector %d was left out: it comes from %.200s.", connector.id, clean(source))
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        if row.store_facts.get("at"):
            row.store_facts = {**row.store_facts, "at": None}


def _accept(services: Services, connector: Connector, module: CartModule, taken: Sequence[_Taken]) -> None:
    now = services.clock.now()
    owed = [each for each in taken if each.change is not None]
    with services.db.write() as session:
        if owed:
            # Before carts, whose rows others lock when they have the connector's lock.
            lock_connector(session, connector.id)
            for part in _apart(owed):
                _take(session, now, connector, module, part)
            usage.record(session, connector.id, now, pulled=len(owed))
            services.on_accept(session, connector.id)
        session.connection().execute(_HEARD, {"heard_id": connector.id, "at": now})
    if owed:
        services.wakeup.ring(connector.id)


def _take(session: Session, now: datetime, connector: Connector, module: CartModule, taken: Sequence[_Taken]) -> None:
    # First, so that a cart knows its own unpaid order before that looks like a purchase.
    order_carts.take(session, now, connector, module, [each.order for each in taken if each.order is not None])
    records.accept(session, now, connector.id, [each.change for each in taken if each.change is not None])
    # What comes behind must find all as another transaction would.
    session.flush()
    session.expire_all()


def _apart(taken: Iterable[_Taken]) -> Iterator[Sequence[_Taken]]:
    """Part webhooks where a record or a person comes again, so that each finds what the one before has left."""
    part: list[_Taken] = []
    met: set[str] = set()
    for each in taken:
        if not met.isdisjoint(each.keys):
            yield part
            part, met = [], set()
        part.append(each)
        met |= each.keys
    yield part
