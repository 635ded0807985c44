"""Groups of recipients: who is told of what."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.alert import AlertGroup
from integration.models.vault import Vault
from integration.operations.monitoring.alerts.finding import COMMON

EMAIL, WEBHOOK = "email", "webhook"


def of(session: Session, organisation_id: int) -> Sequence[AlertGroup]:
    """Return the groups of an organisation by name."""
    query = select(AlertGroup).where(AlertGroup.organisation_id == organisation_id)
    return session.scalars(query.order_by(AlertGroup.name, AlertGroup.id)).all()


def ways(group: AlertGroup) -> list[str]:
    """Return how a group is told: email, webhook, both or, while it has no recipients, neither."""
    return [way for way, there in ((EMAIL, group.emails), (WEBHOOK, group.webhook)) if there]


def wants(group: AlertGroup, connector_id: int, cause: str) -> bool:
    """Return whether a group is told of a connector's cause; nothing chosen means everything."""
    concerned = not group.connector_ids or connector_id in group.connector_ids or cause in COMMON
    return concerned and (not group.causes or cause in group.causes)


def webhook_of(vault: Vault, group: AlertGroup) -> str:
    """Return a group's webhook address, "" for none; raises SettingError when SECRET_KEY is another one."""
    return str(vault.open(group.webhook).get("url", ""))


def masked(address: str) -> str:
    """Return a webhook address as it may be shown: its path is as good as a password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…" if address else ""
