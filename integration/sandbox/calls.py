"""The requests a stand-in has seen, for assertions and pages."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

CALLS_KEPT_MAX = 50_000


class Call(NamedTuple):
    """One request: `status` is 0 when no answer was sent, `rows` the rows of a batch or 0."""

    method: str
    path: str
    status: int
    rows: int = 0


class Calls:
    """The last requests, oldest first; `total` counts all since the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[Call] = deque(maxlen=CALLS_KEPT_MAX)
        self.total = 0

    def add(self, call: Call) -> None:
        """Note one request."""
        with self._lock:
            self._seen.append(call)
            self.total += 1

    def __iter__(self) -> Iterator[Call]:
        with self._lock:
            return iter(list(self._seen))

    def __len__(self) -> int:
        return len(self._seen)

    def count(self, prefix: str = "", method: str = "") -> int:
        """Return how many requests had a path that begins with the prefix (and that method)."""
        return sum(call.path.startswith(prefix) and method in ("", call.method) for call in self)

    def rows(self, prefix: str = "") -> int:
        """Return how many batch rows came on paths that begin with the prefix."""
        return sum(call.rows for call in self if call.path.startswith(prefix))

    def reset(self) -> None:
        """Forget all."""
        with self._lock:
            self._seen.clear()
            self.total = 0
