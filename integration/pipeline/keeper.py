"""Keeps a lease alive while a batch is on its way."""

from __future__ import annotations

import threading
from types import TracebackType

from integration.pipeline import outbox
from integration.pipeline.ports import Ports

RENEW_EVERY = 20.0


class Keeper:
    """A context in which the lease of a token is renewed every 20 seconds."""

    def __init__(self, ports: Ports, token: str) -> None:
        self._ports = ports
        self._token = token
        self._timer: threading.Timer | None = None
        self._closed = threading.Event()

    def __enter__(self) -> Keeper:
        self._wind()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        if self._timer is not None:
            self._timer.cancel()

    def _wind(self) -> None:
        self._timer = threading.Timer(RENEW_EVERY, self._renew)
        self._timer.daemon = True
        self._timer.start()

    def _renew(self) -> None:
        if self._closed.is_set():
            return
        with self._ports.db.write() as session:
            kept = outbox.renew(session, self._ports.clock.now(), self._token)
        if kept and not self._closed.is_set():
            self._wind()
