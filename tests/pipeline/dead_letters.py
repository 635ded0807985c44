"""Dead letters: made, looked at and sent again."""

from __future__ import annotations

from integration.models.delivery import Delivery, DeliveryState
from integration.pipeline import outbox
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services
from tests.pipeline.conftest import claim, settle


def kill(services: Services, connector_id: int) -> list[int]:
    """Let everything that is ready become a dead letter; return the ids."""
    token = new_token()
    deliveries = [leased for group in claim(services, connector_id, 50, token) for leased in group.deliveries]
    ends = [
        Outcome(i.id, DeliveryState.DEAD, error_code="refused", message="No.", category="permanent") for i in deliveries
    ]
    settle(services, connector_id, token, *ends)
    return [leased.id for leased in deliveries]


def row(services: Services, delivery_id: int) -> Delivery:
    with services.db.read() as session:
        return session.get_one(Delivery, delivery_id)


def requeue(services: Services, connector_id: int, ids: list[int], run_id: int | None = None) -> outbox.Requeued:
    with services.db.write() as session:
        return outbox.requeue(session, services.clock.now(), connector_id, ids, run_id)
