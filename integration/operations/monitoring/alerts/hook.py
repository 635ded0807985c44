"""The webhook: JSON that Slack, Mattermost and their like show, with fields for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from integration.errors import ServiceError
from integration.http.transport import Route, Transport
from integration.models.alert import Alert, AlertNotice
from integration.models.connector import Connector
from integration.operations.monitoring.alerts import wording
from integration.operations.monitoring.alerts.undelivered import Undelivered
from integration.pipeline.services import Services

CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT = 5.0, 10.0, 15.0
_NAME = "The webhook"
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def payload(
    services: Services, notice: AlertNotice, body: str, alert: Alert | None, connector: Connector | None
) -> dict[str, Any]:
    """Return what is posted: `text` for people; `event`, `notice`, `subject`, `body` and `alert` for programs."""
    return {
        "text": _escaped(f"{notice.subject}\n{body}"),
        "event": notice.what,
        "notice": notice.id,
        "subject": notice.subject,
        "body": body,
        "alert": _alert(services, alert, connector) if alert is not None else None,
    }


def _alert(services: Services, alert: Alert, connector: Connector | None) -> dict[str, Any]:
    return {
        "id": alert.id,
        "cause": alert.cause,
        "sentence": alert.sentence,
        "hint": alert.hint,
        "connector_id": alert.connector_id,
        "connector": connector.name if connector is not None else "",
        "since": alert.since.isoformat(),
        "ended_at": alert.ended_at.isoformat() if alert.ended_at else None,
        "url": wording.place(services, alert),
    }


def _escaped(text: str) -> str:
    """Return a text in which Slack sees neither links nor mentions: parts of it come from other systems."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def post(services: Services, address: str, values: Mapping[str, Any]) -> None:
    """Post a payload; raises Undelivered when it was not taken with a status from 200 to 299."""
    route = Route(None, CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT, services.deployment.private_hosts)
    try:
        answer = Transport(_NAME, route).send("POST", address, body=json.dumps(values).encode(), headers=_HEADERS)
    except ServiceError as error:
        raise Undelivered(error.sentence, error.hint) from error
    if not 200 <= answer.status < 300:
        # What it answered is not shown: the address may lead to something that is not for the group's eyes.
        raise Undelivered(f"The webhook answered with status {answer.status}.", "Make a new one in the chat.")
