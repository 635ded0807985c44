"""The store's webhooks: registered with one click, looked at, removed (P6)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.pipeline.audited import Audit, Diff, unaudited
from integration.pipeline.connectors import store_profile
from integration.pipeline.services import Services
from integration.store import webhooks
from integration.store.webhooks import WebhookHealth


def delivery_url(services: Services, connector: Connector) -> str:
    """Return the address that the store delivers to; its path cannot be guessed."""
    return f"{services.base_url}/hooks/{connector.webhook_path}"


def topics(services: Services, connector: Connector) -> tuple[str, ...]:
    """Return what the store is asked to tell: of its subscriptions, too, where it has them and they are synced."""
    wanted = services.modules(connector).orders.subscriptions and store_profile.has_subscriptions(connector)
    return (*webhooks.TOPICS, *(webhooks.SUBSCRIPTION_TOPICS if wanted else ()))


def register(services: Services, connector_id: int, *, audit: Audit[Diff] = unaudited) -> Sequence[WebhookHealth]:
    """Register all topics with one secret and return how they are; raises ServiceError when the store refuses.

    The secret is stored before the store gets it: a delivery may come while the registration still runs. `audit` gets
    {topic: [id before, id after]}.
    """
    connector = store_profile.refresh(services, _connector(services, connector_id))
    secret = services.secrets(connector).get("webhook_secret") or webhooks.new_secret()
    _store(services, connector_id, secret=secret)
    client = services.open_store(connector)
    wanted = topics(services, connector)
    ids = webhooks.register(client, delivery_url(services, connector), secret, wanted)
    _store(services, connector_id, ids=ids, audit=audit)
    return webhooks.status(client, delivery_url(services, connector), wanted)


def status(services: Services, connector_id: int) -> Sequence[WebhookHealth]:
    """Ask the store how our webhooks are: active, paused, disabled or missing."""
    connector = store_profile.refresh(services, _connector(services, connector_id))
    client = services.open_store(connector)
    return webhooks.status(client, delivery_url(services, connector), topics(services, connector))


def remove(services: Services, connector_id: int, *, audit: Audit[Diff] = unaudited) -> Sequence[WebhookHealth]:
    """Remove our webhooks from the store and return what is left; `audit` gets {topic: [id before, None]}."""
    connector = store_profile.refresh(services, _connector(services, connector_id))
    client = services.open_store(connector)
    webhooks.remove(client, delivery_url(services, connector))
    _store(services, connector_id, ids={}, audit=audit)
    return webhooks.status(client, delivery_url(services, connector), topics(services, connector))


def _connector(services: Services, connector_id: int) -> Connector:
    with services.db.read() as session:
        return session.get_one(Connector, connector_id)


def _store(
    services: Services,
    connector_id: int,
    *,
    secret: str = "",
    ids: dict[str, int] | None = None,
    audit: Audit[Diff] = unaudited,
) -> None:
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        if secret:
            _keep_secret(services, session, connector, secret)
        if ids is not None:
            before, connector.webhook_ids = connector.webhook_ids or {}, dict(ids)
            topics = dict.fromkeys([*before, *ids])
            audit(session, {topic: [before.get(topic), ids.get(topic)] for topic in topics})


def _keep_secret(services: Services, session: Session, connector: Connector, secret: str) -> None:
    connector.secrets = services.vault.seal({**services.secrets(connector), "webhook_secret": secret})
    session.flush()
