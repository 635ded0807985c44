"""Group commit: what several threads want written under one lock goes in one transaction.

Whoever comes first writes at once. Who comes while that is on its way waits, and the oldest of them then takes all
others along, so that a crowd pays for the statements and for the disk once. Each is told what became of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from integration.models.database import locked, wait_limit_s, waiting
from integration.pipeline.leases.endings import is_passing

#: A transaction that takes more keeps those who wait for the same lock for too long.
GROUP_MAX = 32
#: So long the oldest waits for those who were there a moment ago: with four senders two groups of two would take turns,
#: and each sender would wait for both.
GATHER_S = 0.02

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
        self._lines: dict[int, _Line[Item]] = {}

    def write(self, key: int, item: Item, commit: Callable[[Sequence[Item]], None]) -> None:
        """Return when the item is committed, alone or with others that wait under its key; raise what `commit` raises.

        `commit` gets items in the order in which they came, writes all of them in one transaction or none, and may be
        called for a part of them once more. Who has waited too long (see `waiting`) gets OperationalError.
        """
        line = self._lines.setdefault(key, _Line())
        entry = _Entry(item, time.monotonic() + wait_limit_s())
        if group := line.group_of(entry):
            try:
                _write(group, commit)
            finally:
                line.end(group)
        entry.done.result()


class _Line(Generic[Item]):
    """Who waits under one key, and whether somebody has the turn.

    `_crowd` is how many were there when the last turn ended: who was answered then is often back at once.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[_Entry[Item]] = deque()
        self._busy = False
        self._crowd = 0

    def group_of(self, entry: _Entry[Item]) -> list[_Entry[Item]]:
        """Wait for the turn of an entry and return the group that it leads, [] when another one has taken it along."""
        with self._changed:
            self._queue.append(entry)
            self._changed.notify_all()
            self._changed.wait_for(lambda: entry not in self._queue or self._leads(entry), entry.left_s())
            if entry not in self._queue:
                return []
            if not self._leads(entry):
                self._queue.remove(entry)
                raise locked()
            self._busy = True
            self._changed.wait_for(self._is_complete, GATHER_S)
            return [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_MAX))]

    def _leads(self, entry: _Entry[Item]) -> bool:
        return not self._busy and self._queue[0] is entry

    def _is_complete(self) -> bool:
        return len(self._queue) >= min(self._crowd, GROUP_MAX)

    def end(self, group: Sequence[_Entry[Item]]) -> None:
        """Give the turn to who waits."""
        with self._changed:
            self._busy = False
            self._crowd = len(group) + len(self._queue)
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
