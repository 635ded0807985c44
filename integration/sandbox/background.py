"""Work that a stand-in goes on with after its answer was cut, as a web server behind a gateway does."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable

from flask import request
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response

ENDING = "sandbox.ending"
WAIT_S = 0.02


def checkpoint() -> None:
    """End the request in hand, between two rows, if it goes on in the background and is to stop."""
    if (ending := request.environ.get(ENDING)) and ending.is_set():
        raise ServiceUnavailable


class Background:
    """The requests that are worked on in threads of their own; `ending` is set once they are to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: set[concurrent.futures.Future[Response]] = set()
        self.ending = threading.Event()

    def start(self, work: Callable[[], Response]) -> concurrent.futures.Future[Response]:
        """Work on a request in a thread; the future gives its answer, or raises Dropped where it has none."""
        future: concurrent.futures.Future[Response] = concurrent.futures.Future()
        with self._lock:
            self._futures.add(future)
        future.add_done_callback(self._forget)
        threading.Thread(target=_run, args=(future, work), name="sandbox-background", daemon=True).start()
        return future

    def _forget(self, future: concurrent.futures.Future[Response]) -> None:
        with self._lock:
            self._futures.discard(future)

    @property
    def running(self) -> int:
        """Return how many requests are being worked on."""
        return len(self._futures)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all of them are done; False if that takes longer."""
        with self._lock:
            futures = list(self._futures)
        return not concurrent.futures.wait(futures, timeout_s).not_done

    def end(self, let_go: Callable[[], None]) -> None:
        """Stop them at the next row, calling `let_go` while they are held up; the rows before it are kept."""
        self.ending.set()
        while not self.wait(WAIT_S):
            let_go()
        self.ending = threading.Event()


def _run(future: concurrent.futures.Future[Response], work: Callable[[], Response]) -> None:
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
