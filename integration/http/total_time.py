"""A limit for the whole of a call: a socket's time-out begins anew with each byte, so one that drips has no end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import requests


class TookTooLong(requests.exceptions.ReadTimeout):
    """The answer was not complete within the total time."""


class Watchdog:
    """Shuts the socket of a call when its time is over; a context of one call, used by one thread."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_over = False

    def __enter__(self) -> Self:
        """Begin to count."""
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End the count; raises TookTooLong where it was over, whatever the shut socket was taken for."""
        self._timer.cancel()
        if self.is_over:
            raise TookTooLong("the answer was not complete in time") from error

    def watch(self, sock: socket.socket) -> None:
        """Name the socket of the call, once it is connected."""
        with self._lock:
            self._socket = sock
            over = self.is_over
        if over:
            _shut(sock)

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            sock = self._socket
        if sock is not None:
            _shut(sock)


def _shut(sock: socket.socket) -> None:
    # Not SSLSocket's own shutdown, which takes the encryption from under the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
