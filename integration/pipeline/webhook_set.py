"""The store's webhooks: registered with one click, looked at, removed (P6)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.pipeline import facts
from integration.pipeline.ports import Ports
from integration.store import webhooks
from integration.store.webhooks import WebhookHealth


def delivery_url(ports: Ports, connector: Connector) -> str:
    """Return the address that the store delivers to; its path cannot be guessed."""
    return f"{ports.deployment.base_url}/hooks/{connector.webhook_path}"


def register(ports: Ports, connector_id: int) -> Sequence[WebhookHealth]:
    """Register all topics with one secret and return how they are; raises ServiceError when the store refuses.

    The secret is stored before the store gets it: a delivery may come while the registration still runs.
    """
    connector = facts.refresh(ports, _connector(ports, connector_id))
    secret = ports.secrets(connector).get("webhook_secret") or webhooks.new_secret()
    _store(ports, connector_id, secret=secret)
    client = ports.open_store(connector)
    ids = webhooks.register(client, delivery_url(ports, connector), secret)
    _store(ports, connector_id, ids=ids)
    return webhooks.status(client, delivery_url(ports, connector))


def status(ports: Ports, connector_id: int) -> Sequence[WebhookHealth]:
    """Ask the store how our webhooks are: active, paused, disabled or missing."""
    connector = facts.refresh(ports, _connector(ports, connector_id))
    return webhooks.status(ports.open_store(connector), delivery_url(ports, connector))


def remove(ports: Ports, connector_id: int) -> Sequence[WebhookHealth]:
    """Remove our webhooks from the store and return what is left."""
    connector = facts.refresh(ports, _connector(ports, connector_id))
    client = ports.open_store(connector)
    webhooks.remove(client, delivery_url(ports, connector))
    _store(ports, connector_id, ids={})
    return webhooks.status(client, delivery_url(ports, connector))


def _connector(ports: Ports, connector_id: int) -> Connector:
    with ports.db.read() as session:
        return session.get_one(Connector, connector_id)


def _store(ports: Ports, connector_id: int, *, secret: str = "", ids: dict[str, int] | None = None) -> None:
    with ports.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        if ids is not None:
            connector.webhook_ids = dict(ids)
        if secret:
            _keep_secret(ports, session, connector, secret)


def _keep_secret(ports: Ports, session: Session, connector: Connector, secret: str) -> None:
    connector.secrets = ports.vault.seal({**ports.secrets(connector), "webhook_secret": secret})
    session.flush()
