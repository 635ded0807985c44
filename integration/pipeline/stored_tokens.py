"""The OAuth tokens of connectors: opened once for a process, and renewed by one of all processes at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration.mautic.access import Token
from integration.models.connector import Connector
from integration.models.sql import swapped
from integration.models.vault import Vault

if TYPE_CHECKING:
    from integration.pipeline.services import Services

#: So long one process may take to renew a token; others look so often, so many times, whether it is done.
LEASE_S, LEASE_PAUSE_S, LEASE_TRIES = 30, 0.5, 60


class OpenedTokens:
    """The OAuth tokens of this process, opened once: connector id -> the sealed text and what was in it.

    A token counts only for the sealed text that the connector's row has. So a renewal, a new sign-in and new
    credentials need not be told to anybody, wherever they happen.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[int, tuple[str, Token]] = {}

    def open(self, connector_id: int, sealed: str | None) -> Token | None:
        """Return the token that was sealed, None without one."""
        if not sealed:
            return None
        known = self._opened.get(connector_id)
        if known is None or known[0] != sealed:
            known = self._opened[connector_id] = (sealed, _token(self._vault.open(sealed)))
        return known[1]


def _token(parts: Mapping[str, str]) -> Token:
    return Token(parts["access_token"], datetime.fromisoformat(parts["expires_at"]), parts["refresh_token"])


class StoredTokens:
    """Keeps a connector's OAuth token in the database, sealed; one refresh at a time over all processes.

    `sealed` is what the connector's row had when the caller read it; without it the row is read at first need.
    """

    _locks: dict[int, threading.Lock] = {}

    def __init__(self, services: Services, connector_id: int, sealed: str | None = None) -> None:
        self._services = services
        self._id = connector_id
        self._sealed = sealed
        self._lock = self._locks.setdefault(connector_id, threading.Lock())

    def load(self) -> Token | None:
        """Return the token that is known here; who holds the lock gets what is stored now."""
        sealed = self._sealed
        if not sealed:
            sealed = self._sealed = self._stored()
        return self._services.tokens.open(self._id, sealed)

    def _stored(self) -> str | None:
        with self._services.db.read() as session:
            return session.scalar(select(Connector.mautic_token).where(Connector.id == self._id))

    def save(self, token: Token | None) -> None:
        """Store a token, or forget it."""
        with self._services.db.write() as session:
            self.save_in(session, token)

    def save_in(self, session: Session, token: Token | None) -> None:
        """Store a token, or forget it, in the caller's transaction."""
        sealed = None
        if token is not None:
            parts = {
                "access_token": token.access_token,
                "expires_at": token.expires_at.isoformat(),
                "refresh_token": token.refresh_token,
            }
            sealed = self._services.vault.seal(parts)
        session.execute(update(Connector).where(Connector.id == self._id).values(mautic_token=sealed))
        self._sealed = sealed

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the connector's refresh: threads by a lock, processes by a short lease on the row."""
        with self._lock:
            self._take_lease()
            # Another process may have used the refresh token that is known here; its successor is in the row.
            self._sealed = None
            try:
                yield
            finally:
                self._set_lease(None)

    def _take_lease(self) -> None:
        waited = threading.Event()
        for _ in range(LEASE_TRIES):
            now = self._services.clock.now()
            if self._set_lease(now + timedelta(seconds=LEASE_S), free_at=now):
                return
            waited.wait(LEASE_PAUSE_S)

    def _set_lease(self, until: datetime | None, free_at: datetime | None = None) -> bool:
        statement = update(Connector).where(Connector.id == self._id).values(token_lease_until=until)
        if free_at is not None:
            lease = Connector.token_lease_until
            statement = statement.where(lease.is_(None) | (lease < free_at))
        with self._services.db.write() as session:
            return bool(swapped(session, statement))
