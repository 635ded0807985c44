"""Batches: how large the next one is, and the answer of one, row by row."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from integration.http.upstream import error_named
from integration.mautic.answers import SERVICE, Problem, problem_of

#: Mautic answers 500 to more rows (mautic:144, mautic:167).
BATCH_MAX_ROWS = 200
#: Seconds a call should take: well below the 30 to 60 s after which PHP and proxies give up (dossier 5).
AIM = 5.0
#: Seconds that Mautic is left alone after a call without an answer, at least and at most.
PAUSE_MIN_S = 10.0
PAUSE_MAX_S = 300.0
#: Seconds that Mautic needs for a row when nothing else is known: 20 to 70 ms on two quiet cores.
ROW_S = 0.1
#: A smaller batch says more of the cost of a call than of a row.
TELLING_ROWS = 10


def pause_s(rows: int, seconds: float = 0.0) -> float:
    """Return how long to leave Mautic alone after a call of so many rows, `seconds` being what it may take."""
    return min(max(2 * max(rows * ROW_S, seconds), PAUSE_MIN_S), PAUSE_MAX_S)


class BatchSize:
    """The size of one connector's next batch: starts at 50, grows while calls are quick; safe for several threads."""

    def __init__(self, start: int = 50, least: int = 1, most: int = BATCH_MAX_ROWS) -> None:
        self._most = max(1, min(most, BATCH_MAX_ROWS))
        self._least = max(1, min(least, self._most))
        self._value = max(self._least, min(start, self._most))
        self._slowest_s = 0.0
        self._slowest_row_s = 0.0
        self._lock = threading.Lock()

    @property
    def value(self) -> int:
        """Return how many rows the next batch should have."""
        return self._value

    def took(self, rows: int, seconds: float) -> None:
        """Learn from a good answer: twice the size when under 2.5 s, the rows that fit into 5 s when over."""
        with self._lock:
            self._slowest_s = max(self._slowest_s, seconds)
            if rows >= TELLING_ROWS:
                self._slowest_row_s = max(self._slowest_row_s, seconds / rows)
            if seconds > AIM and rows <= self._value:
                self._set(int(rows * AIM / seconds))
            elif seconds < AIM / 2 and rows >= self._value:
                self._set(self._value * 2)

    def unanswered(self, rows: int, seconds: float) -> float:
        """Learn from a call that got no answer for so long: half the size; return the seconds to leave Mautic alone.

        That is twice what such a batch takes by the slowest one so far, within PAUSE_MIN_S and PAUSE_MAX_S.
        """
        with self._lock:
            self._set(self._value // 2)
            return pause_s(rows, max(self._slowest_s, rows * self._slowest_row_s, seconds))

    def _set(self, value: int) -> None:
        self._value = max(self._least, min(value, self._most))


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What a batch says of one row: its status (0 when it says nothing), the entity, the problem."""

    status: int
    item: dict[str, Any]
    problem: Problem

    @property
    def good(self) -> bool:
        """Tell whether the row was written; the HTTP status of the whole says nothing (mautic:140, mautic:164)."""
        return 200 <= self.status < 300


def row_answers(value: object, noun: str, count: int) -> list[RowAnswer]:
    """Return one RowAnswer for each of the `count` rows sent; `noun` is contacts or notes.

    Raises ServerFault (unreadable) when the answer has no statusCodes.
    """
    codes = value.get("statusCodes") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(codes, list | dict):
        raise error_named("unreadable", SERVICE)
    numbers = _by_index(codes)
    statuses = [_status(numbers.get(index)) for index in range(count)]
    good = [index for index, status in enumerate(statuses) if 200 <= status < 300]
    bad = [index for index, status in enumerate(statuses) if not 200 <= status < 300]
    items = _aligned(value.get(noun), good)
    errors = _aligned(value.get("errors"), bad)
    return [
        RowAnswer(status, _entity(items.get(index)), problem_of(errors.get(index)) or Problem(code=status))
        for index, status in enumerate(statuses)
    ]


def _status(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0


def _entity(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_index(value: object) -> dict[int, Any]:
    """Return a list or an object with row numbers as keys by row number (mautic:137, mautic:139, mautic:140)."""
    if isinstance(value, list):
        return dict(enumerate(value))
    if isinstance(value, dict):
        return {int(key): inner for key, inner in value.items() if str(key).isdigit()}
    return {}


def _aligned(value: object, rows: list[int]) -> dict[int, Any]:
    """Return the entries by row number, where a list of as many entries as `rows` belongs to exactly those rows.

    PHP writes a list only when the keys are 0, 1, 2 …, so row numbers and places in it agree (mautic:139); versions
    that
    number anew are met by counting. A 422 row of an edit is listed among the contacts all the same (mautic:162,
    mautic:185), and
    then the counts differ and the place counts.
    """
    if isinstance(value, list) and len(value) == len(rows):
        return dict(zip(rows, value, strict=True))
    return _by_index(value)


def halves(rows: list[Any]) -> Iterator[list[Any]]:
    """Yield both halves of at least two rows, the first one first."""
    middle = (len(rows) + 1) // 2
    yield rows[:middle]
    yield rows[middle:]
