"""How threads of one process tell each other that there may be work."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping


class WakeupSignal:
    """Wakes workers of this process; a lost ring is harmless because the table is the truth."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings: Counter[int] = Counter()

    def ring(self, connector_id: int) -> None:
        """Say that a connector may have work; 0 stands for all of them."""
        with self._condition:
            self._rings[connector_id] += 1
            self._condition.notify_all()

    def wait(self, seen: int, timeout: float, connector_id: int | None = None) -> int:
        """Wait until something was rung after `seen` (an earlier return value), at most `timeout` seconds.

        With a connector's id only its own rings count, and those for all.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._count(connector_id) > seen, timeout)
            return self._count(connector_id)

    def next(self, seen: Mapping[int, int], timeout: float) -> tuple[set[int], Mapping[int, int]]:
        """Wait until something was rung after `seen`, at most `timeout` seconds; return what, and what is seen now.

        `seen` is what this returned last, nothing at first. No connector at all means that the time is over.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._rings.total() > sum(seen.values()), timeout)
            rung = {number for number, count in self._rings.items() if count > seen.get(number, 0)}
            return rung, dict(self._rings) if rung else seen

    def _count(self, connector_id: int | None) -> int:
        return self._rings.total() if connector_id is None else self._rings[connector_id] + self._rings[0]
