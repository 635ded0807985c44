"""Tokens of machines (G3): made once, shown once, stored as hashes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.errors import SettingError
from integration.field_text import checked_name
from integration.models.access import ApiToken
from integration.models.database import waiting
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.services import Services

SCOPES = {
    "logs": "Read logs, records, runs and metrics",
    "runs": "Start and cancel runs, fetch payload files",
    "replay": "Send dead letters again, discard them",
    "write": "Send contacts, orders and carts, and follow what becomes of them",
    "settings": "Read and set the field mapping",
    "erase": "Erase people for good, read the receipts",
}
NAME_MAX_CHARS = 120
#: The last use is written at most so often: a token may be used many times a second.
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Made:
    """A new token: its row's id and the secret that is shown only now."""

    id: int
    secret: str


def make(
    services: Services,
    organisation_id: int,
    name: str,
    scopes: Sequence[str],
    created_by: str,
    days: int | None = None,
    *,
    audit: Audit[ApiToken] = unaudited,
) -> Made:
    """Make a token; raises SettingError (name, scopes, days)."""
    name = checked_name("name", name, NAME_MAX_CHARS)
    if not name:
        raise SettingError("name", "The token needs a name.", "Write what uses it, such as “Grafana”.")
    if not scopes or set(scopes) - set(SCOPES):
        raise SettingError("scopes", "The token needs at least one scope.", f"Choose from {', '.join(SCOPES)}.")
    if days is not None and not 1 <= days <= 3650:
        raise SettingError("days", f"“{days}” is no number of days.", "Write a whole number from 1 to 3650.")
    secret, now = f"wm_{secrets.token_urlsafe(32)}", services.clock.now()
    row = ApiToken(
        organisation_id=organisation_id,
        name=name,
        start=secret[:8],
        token_hash=digest(secret),
        scopes=[scope for scope in SCOPES if scope in scopes],
        created_by=created_by,
        created_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    with services.db.write() as session:
        _free(session, organisation_id, row.name, now)
        session.add(row)
        session.flush()
        audit(session, row)
        return Made(row.id, secret)


def _free(session: Session, organisation_id: int, name: str, now: datetime) -> None:
    """Raise SettingError (name) where a token that still works has the name: logs tell tokens apart by it alone."""
    found = of_organisation(session, organisation_id)
    taken = {row.name.casefold() for row in found if row.revoked_at is None and not _expired(row, now)}
    if name.casefold() in taken:
        raise SettingError("name", f"There is a token “{name}” already.", "Revoke it first, or choose another name.")


def _expired(row: ApiToken, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def of_organisation(session: Session, organisation_id: int) -> Sequence[ApiToken]:
    """Return an organisation's tokens, newest first."""
    query = select(ApiToken).where(ApiToken.organisation_id == organisation_id).order_by(ApiToken.id.desc())
    return session.scalars(query).all()


def find(services: Services, secret: str) -> ApiToken | None:
    """Return the token of a secret, None when it is unknown, revoked or expired; its use is noted.

    It is looked up by its hash: how long the look-up takes tells nothing about the secret.
    """
    now = services.clock.now()
    with services.db.read() as session:
        row = session.scalar(select(ApiToken).where(ApiToken.token_hash == digest(secret)))
    if row is None or row.revoked_at is not None or _expired(row, now):
        return None
    if row.used_at is None or now - row.used_at > _NOTED_EVERY:
        _note_use(services, row.id, now)
    return row


def _note_use(services: Services, token_id: int, now: datetime) -> None:
    # Whoever only reads must not wait for writers, nor fail on a full disk: the next use is noted then.
    with suppress(DBAPIError), waiting(0), services.db.write() as session:
        session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))


def revoke(session: Session, row: ApiToken, now: datetime) -> None:
    """End a token for good."""
    row.revoked_at = row.revoked_at or now
