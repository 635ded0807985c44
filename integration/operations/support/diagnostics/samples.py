"""One record of the store to try the mapping on: the newest that is synced, or one by its id."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from integration import streams
from integration.events import Kind, Origin
from integration.models.connector import Connector
from integration.pipeline.delivery import batch_context as batch_context, order_categories
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.groups import DeliveryGroup, of_change
from integration.pipeline.services import Services
from integration.records import Order
from integration.settings import Modules
from integration.streams.base import Payload


def group_of(services: Services, kind: Kind, row: Payload) -> DeliveryGroup:
    """Return the record as a group of one delivery, as if it had just changed; raises MappingError without an id."""
    now = services.clock.now()
    # A live event may send e-mails; a snapshot counts as read, so that the switch for live changes hides nothing.
    stream = streams.of(kind)
    change = stream.change(row, Origin.FULL if stream.collapses else Origin.WEBHOOK, now)
    leased = of_change(-1, replace(change, reached_at=now))
    return DeliveryGroup(leased.person_key, (leased,))


def lay(
    session: Session, connector: Connector, group: DeliveryGroup, order: Order | None, modules: Modules
) -> BatchContext:
    """Return the context of the sample's person; an order that the ledger has not met yet is counted all the same."""
    laid = batch_context.lay(session, connector, [group.person_key], modules=modules)
    context = order_categories.laid(session, laid, [group])
    if order is None:
        return context
    if order.email:
        context.people.count_in(order)
    return context
