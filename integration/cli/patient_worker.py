"""gunicorn's threaded worker, but a thread gets only whole requests.

The main loop gathers what clients send, without waiting for any of them, so that whoever sends a request byte by byte
takes no thread from the others; one that is not whole in time is closed.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn, ThreadWorker

from integration.cli.whole_requests import Incoming, TooMuch

#: A request's head, and all of it, must be here after so long.
HEAD_TIMEOUT_S, REQUEST_TIMEOUT_S = 10.0, 30.0
#: A client that does not take its answer, or a body that goes on behind what was gathered, is left after so long.
SOCKET_TIMEOUT_S = 20
#: With more clients on their way to a request than this the oldest is closed.
GATHERING_MAX = 500
GATHERED_MAX_BYTES = 128 * 1024 * 1024
_READ_BYTES = 64 * 1024
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(eq=False)
class Gathering:
    """A connection whose next request is not whole yet."""

    conn: Any
    began: float = field(default_factory=time.monotonic)
    incoming: Incoming = field(default_factory=Incoming)
    told_to_go_on: bool = False

    def is_late(self, now: float) -> bool:
        """Return whether the client had its time."""
        limit = REQUEST_TIMEOUT_S if b"\r\n\r\n" in self.incoming.data else HEAD_TIMEOUT_S
        return now - self.began > limit


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """The worker class of `serve`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gathering: dict[Gathering, None] = {}
        self._gathered_bytes = 0

    def enqueue_req(self, conn: TConn) -> None:
        """Gather the connection's next request; this runs in the main loop, as all that gunicorn calls it from."""
        one = Gathering(conn)
        conn.sock.setblocking(False)
        if conn.initialized:
            one.incoming.data += conn.parser.unreader.take_buffered()
        else:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SOCKET_TIMEOUT_S, 0))
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SOCKET_TIMEOUT_S, 0))
            conn.parser, conn.initialized = get_parser(self.cfg, conn.sock, conn.client), True
        if len(self._gathering) >= GATHERING_MAX:
            self._refuse(next(iter(self._gathering)), "503 Service Unavailable")
        self._gathering[one] = None
        self._gathered_bytes += len(one.incoming.data)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_bytes, one))
        self._go_on(one)

    def murder_pending(self) -> None:
        """Close connections whose request is not whole in time; the main loop calls this once a second."""
        super().murder_pending()
        now = time.monotonic()
        for one in [one for one in self._gathering if one.is_late(now)]:
            self._refuse(one, "408 Request Timeout")

    def _on_bytes(self, one: Gathering, sock: Any) -> None:
        try:
            data = sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._refuse(one, "")
            return
        one.incoming.data += data
        self._gathered_bytes += len(data)
        self._go_on(one)

    def _go_on(self, one: Gathering) -> None:
        """Hand a whole request to a thread; refuse what is too much."""
        try:
            if one.incoming.is_whole():
                self._hand_over(one)
            elif self._gathered_bytes > GATHERED_MAX_BYTES:
                self._refuse(one, "503 Service Unavailable")
            elif one.incoming.wants_to_go_on() and not one.told_to_go_on:
                one.told_to_go_on = True
                with suppress(OSError):
                    one.conn.sock.send(_GO_ON)
        except TooMuch as error:
            self._refuse(one, error.status)

    def _hand_over(self, one: Gathering) -> None:
        self._let_go(one)
        one.conn.parser.unreader.unread(bytes(one.incoming.data))
        super().enqueue_req(one.conn)

    def _refuse(self, one: Gathering, status: str) -> None:
        """Close a connection, with a status unless the client has gone; nobody waits for it to be taken."""
        self._let_go(one)
        if status and one.incoming.data:
            with suppress(OSError):
                one.conn.sock.send(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        self.nr_conns -= 1
        one.conn.close()

    def _let_go(self, one: Gathering) -> None:
        del self._gathering[one]
        self._gathered_bytes -= len(one.incoming.data)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(one.conn.sock)
