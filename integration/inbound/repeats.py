"""Requests that are sent twice under one key: the second gets the first one's answer, and nothing is done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.inbound import InboundRequest

#: So long a key stands for what was sent under it; then it is a new one.
KEPT = timedelta(hours=24)
KEY_MAX_CHARS = 200
KEY_USED = IntegrationError(
    "key_used",
    "Something else was sent under this idempotency key, so nothing was stored.",
    "Use a new key for each request, and the same one only to send the same again.",
)


def find(
    session: Session, now: datetime, connector_id: int, token_id: int, key: str, digest: str
) -> Sequence[dict[str, Any]] | None:
    """Return what was answered under a key, None for a new one or none; raises KEY_USED for another request's.

    To be called under the connector's lock: two requests at the same moment come one after the other then.
    """
    if not key:
        return None
    mine = (
        InboundRequest.connector_id == connector_id,
        InboundRequest.token_id == token_id,
        InboundRequest.key == key,
    )
    session.execute(delete(InboundRequest).where(*mine, InboundRequest.created_at <= now - KEPT))
    row = session.scalar(select(InboundRequest).where(*mine))
    if row is None:
        return None
    if row.digest != digest:
        raise KEY_USED
    return row.answer


def keep(
    session: Session,
    now: datetime,
    connector_id: int,
    token_id: int,
    key: str,
    digest: str,
    answer: list[dict[str, Any]],
) -> None:
    """Keep what a request under a key was answered with; without a key nothing is kept."""
    if key:
        session.add(
            InboundRequest(
                connector_id=connector_id,
                token_id=token_id,
                key=key,
                digest=digest,
                answer=answer,
                created_at=now,
            )
        )
