"""The breakers of one process, one a connector and side, and the holds that they make."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from integration.clock import Clock
from integration.errors import ServiceError
from integration.http.breaker import SLOW, Breaker
from integration.http.errors import NAMES
from integration.models.connector import Connector
from integration.models.database import Database
from integration.pipeline.connectors import holds


@dataclass
class Breakers:
    """Gives each connector's breakers; what they find becomes a hold in the database, which all processes obey."""

    db: Database
    clock: Clock
    _made: dict[tuple[int, str], Breaker] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, connector_id: int, service: str) -> Breaker:
        """Return the breaker of one side ("store", "mautic"); it closes when the hold was released elsewhere."""
        breaker = self._known(connector_id, service)
        # Read before the hold: the breaker opens only after the hold was written, so one that is gone was released.
        if (error := breaker.error) is not None and not self._is_held(connector_id, service):
            breaker.close(error)
        return breaker

    def begin_anew(self, connector_id: int) -> None:
        """Go on where another process has called until now: all processes together make no more calls than one may."""
        for service in NAMES:
            self._known(connector_id, service).cap.empty()

    def _known(self, connector_id: int, service: str) -> Breaker:
        with self._lock:
            return self._made.get((connector_id, service)) or self._make(connector_id, service)

    def look(self, now: datetime) -> None:
        """Make a hold of every call that is out for too long."""
        with self._lock:
            made = list(self._made.values())
        for breaker in made:
            breaker.look(now)

    def _make(self, connector_id: int, service: str) -> Breaker:
        def opened(error: ServiceError) -> None:
            with self.db.write() as session:
                if session.get(Connector, connector_id) is not None:
                    holds.hold(session, self.clock.now(), connector_id, error)

        def recovered() -> None:
            with self.db.write() as session:
                holds.release(session, self.clock.now(), connector_id, service, SLOW)

        breaker = self._made[connector_id, service] = Breaker(service, self.clock, opened, recovered)
        return breaker

    def _is_held(self, connector_id: int, service: str) -> bool:
        with self.db.read() as session:
            return holds.current(session, connector_id, service) is not None
