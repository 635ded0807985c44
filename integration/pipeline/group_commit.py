"""Group commit: what several threads want written under one lock goes in one transaction.

Whoever comes first writes at once. Who comes while that is on its way waits, and the oldest of them then takes all
others along, so that a crowd pays for the statements and for the disk once. Each is told what became of its own.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from integration.models.database import locked, wait_limit_s, waiting
from integration.pipeline.leases.endings import is_passing

#: A transaction that takes more keeps those who wait for the same lock for too long.
GROUP_MAX = 32

Item = TypeVar("Item")


@dataclass(eq=False, slots=True)
class _Entry(Generic[Item]):
    """One item on its way: until when (by the steady clock) it may wait, and what became of it."""

    item: Item
    until_s: float
    done: Future[None] = field(default_factory=Future)

    def left_s(self) -> float:
        """Return for how many seconds it may still wait."""
        return max(self.until_s - time.monotonic(), 0.0)


class GroupCommit(Generic[Item]):
    """Writes items of one key one group after the other; safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: defaultdict[int, deque[_Entry[Item]]] = defaultdict(deque)
        self._busy: set[int] = set()

    def write(self, key: int, item: Item, commit: Callable[[Sequence[Item]], None]) -> None:
        """Return when the item is committed, alone or with others that wait under its key; raise what `commit` raises.

        `commit` gets items in the order in which they came, writes all of them in one transaction or none, and may be
        called for a part of them once more. Who has waited too long (see `waiting`) gets OperationalError.
        """
        entry = _Entry(item, time.monotonic() + wait_limit_s())
        if group := self._group_of(key, entry):
            try:
                _write(group, commit)
            finally:
                self._end(key)
        entry.done.result()

    def _group_of(self, key: int, entry: _Entry[Item]) -> list[_Entry[Item]]:
        """Wait for the turn of an entry and return the group that it leads, [] when another one has taken it along."""
        with self._changed:
            queue = self._queues[key]
            queue.append(entry)
            self._changed.wait_for(lambda: entry not in queue or self._leads(key, entry), entry.left_s())
            if entry not in queue:
                return []
            if not self._leads(key, entry):
                queue.remove(entry)
                raise locked()
            self._busy.add(key)
            return [queue.popleft() for _ in range(min(len(queue), GROUP_MAX))]

    def _leads(self, key: int, entry: _Entry[Item]) -> bool:
        return key not in self._busy and self._queues[key][0] is entry

    def _end(self, key: int) -> None:
        with self._changed:
            self._busy.remove(key)
            self._changed.notify_all()


def _write(group: Sequence[_Entry[Item]], commit: Callable[[Sequence[Item]], None]) -> None:
    """Write a group; one that fails is halved until the item at fault stands alone.

    Where the database is away or locked no smaller group would do better, and nobody has the time.
    """
    try:
        with waiting(group[0].left_s()):
            commit([each.item for each in group])
    except BaseException as error:
        if len(group) == 1 or is_passing(error) or not isinstance(error, Exception):
            for each in group:
                each.done.set_exception(error)
            return
        half = len(group) // 2
        _write(group[:half], commit)
        _write(group[half:], commit)
    else:
        for each in group:
            each.done.set_result(None)
