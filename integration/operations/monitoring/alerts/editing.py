"""Changes a group of recipients: what was typed is checked before it is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.alert import AlertGroup
from integration.operations import audit
from integration.operations.monitoring.alerts import digest, groups
from integration.operations.monitoring.alerts.group_settings import GroupSettings
from integration.pipeline.services import Services


def new_group(now: datetime, organisation_id: int) -> AlertGroup:
    """Return a group without recipients, not stored yet."""
    return AlertGroup(
        organisation_id=organisation_id, name="", emails=[], connector_ids=[], causes=[], digest=False, created_at=now
    )


def save(
    services: Services, session: Session, group: AlertGroup, typed: Mapping[str, Any], connector_ids: Collection[int]
) -> dict[str, Any]:
    """Store what was typed and return {field: [before, after]}, the webhook only as "changed".

    `connector_ids` are those that may be chosen. Raises SettingError naming each field that cannot be used.
    """
    settings = GroupSettings.checked(typed, connector_ids)
    diff = _applied(group, settings.model_dump(exclude={"webhook", "forget_webhook"}))
    diff |= _apply_webhook(services, group, settings)
    if not groups.ways(group):
        raise SettingError("emails", "The group has no recipient.", "Write an e-mail address or a webhook address.")
    session.add(group)
    if group.digest and (group.digest_at is None or "digest" in diff):
        group.digest_at = digest.next_at(services, session, group)
    session.flush()
    return diff


def _applied(group: AlertGroup, after: Mapping[str, Any]) -> dict[str, Any]:
    diff = {name: [getattr(group, name), value] for name, value in after.items() if getattr(group, name) != value}
    for name, value in after.items():
        setattr(group, name, value)
    return diff


def _apply_webhook(services: Services, group: AlertGroup, settings: GroupSettings) -> dict[str, str]:
    if settings.webhook:
        group.webhook = services.vault.seal({"url": settings.webhook})
    elif settings.forget_webhook and group.webhook:
        group.webhook = None
    else:
        return {}
    return {"webhook": audit.CHANGED}
