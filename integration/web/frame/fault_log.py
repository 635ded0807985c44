"""Logs what breaks requests: whoever finds a request that fails must not be able to fill the log with it."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Any

from flask import Flask, request

log = logging.getLogger(__name__)
#: A traceback of one kind of error is written at most so often.
TRACE_EVERY_S = 60.0
_Caught = tuple[type, BaseException, TracebackType] | tuple[None, None, None]


class FaultLog:
    """One short line for each request that breaks, with a traceback once a minute for each place in the code."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traced_at: dict[tuple[str, str], float] = {}

    def write(self, exc_info: _Caught) -> None:
        """Log an error; the route stands for the address, which may hold secrets and be long."""
        name, place = type(exc_info[1]).__name__, _place(exc_info[2])
        traced: Any = exc_info if self._is_due(name, place) else None
        log.error("%s at %s %s in %s", name, request.method, request.url_rule or "an address", place, exc_info=traced)

    def _is_due(self, name: str, place: str) -> bool:
        now = time.monotonic()
        with self._lock:
            due = now - self._traced_at.get((name, place), -TRACE_EVERY_S) >= TRACE_EVERY_S
            if due:
                self._traced_at[name, place] = now
            return due


def _place(trace: TracebackType | None) -> str:
    """Return file and line where an error arose."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    path = trace.tb_frame.f_code.co_filename
    return f"{'/'.join(path.split('/')[-3:])}:{trace.tb_lineno}"


def init_app(app: Flask) -> None:
    """Log what breaks a request in this way instead of Flask's."""
    app.log_exception = FaultLog().write  # type: ignore[method-assign]  # Flask has it to be overridden
