"""Logs what breaks requests: whoever finds a request that fails must not be able to fill the log with it."""

from __future__ import annotations

import logging
import math
import threading
import time
from types import TracebackType
from typing import Any

from flask import Flask, request

log = logging.getLogger(__name__)
#: A traceback, or a warning, of one kind is written at most so often.
TRACE_EVERY_S = 60.0
_Caught = tuple[type, BaseException, TracebackType] | tuple[None, None, None]


class Seldom:
    """Says of each kind of event whether one of it may be told again."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._told_at: dict[tuple[str, ...], float] = {}

    def due(self, *kind: str) -> bool:
        """Return whether none of its kind was told within the time; it counts as told from now on."""
        now = time.monotonic()
        with self._lock:
            due = now - self._told_at.get(kind, -math.inf) >= self._every_s
            if due:
                self._told_at[kind] = now
            return due


class FaultLog:
    """One short line for each request that breaks, with a traceback once a minute for each place in the code."""

    def __init__(self) -> None:
        self._seldom = Seldom(TRACE_EVERY_S)

    def write(self, exc_info: _Caught) -> None:
        """Log an error; the route stands for the address, which may hold secrets and be long."""
        name, place = type(exc_info[1]).__name__, _place(exc_info[2])
        traced: Any = exc_info if self._seldom.due(name, place) else None
        log.error("%s at %s %s in %s", name, request.method, request.url_rule or "an address", place, exc_info=traced)


_WARNINGS = Seldom(TRACE_EVERY_S)


def say_seldom(text: str, kind: str) -> None:
    """Warn of something that may happen to every request, once a minute for each kind."""
    if _WARNINGS.due(text, kind):
        log.warning(text, kind)


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
