"""Pages of a list: what a reader gets, where it can go on, and the sizes that are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from integration.http.transport import Answer
from integration.store.answers import server_now
from integration.store.client import StoreClient
from integration.store.rows import Failure, Row, rows_of, sifted

#: WooCommerce gives at most 100 a page (woo:202); a failing page is tried smaller and smaller.
SIZES = (100, 50, 25, 10, 1)
#: After so many good pages at a smaller size the larger one is tried again.
GROW_AFTER = 20


@dataclass(frozen=True, slots=True)
class Page:
    """One page handed out: rows in order of id, none of them handed out before by the same reading.

    `number` counts from 1 over resumptions, `pages` and `total` are None where the store does not say, `failed` names
    the records that the store could not give, with its error. `server_time` is the store's clock when the page was
    asked for, `began` the same for the first page of the whole reading: the cursor of the next window. `cursor` goes
    back as `start` to continue after this page. Of records that are read by their ids `asked` are these, and `missing`
    those that were neither given nor refused.
    """

    rows: list[Row]
    number: int
    total: int | None
    pages: int | None
    per_page: int
    server_time: datetime | None
    began: datetime | None = None
    failed: list[Failure] = field(default_factory=list)
    cursor: dict[str, Any] = field(default_factory=dict)
    asked: Sequence[int] = ()
    missing: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class ListPosition:
    """Where a reading stands: `offset` positions are done, `last_id` was the last row, `size` is asked for at once.

    `sure` is False after a record that could not be read: its position cannot be asked for again. `first_id` is the
    list's first row; `taken` counts rows handed out and records that failed, `hidden` positions that gave nothing.
    """

    offset: int = 0
    last_id: int = 0
    size: int = SIZES[0]
    number: int = 0
    good: int = 0
    sure: bool = True
    total: int | None = None
    began: str = ""
    first_id: int = 0
    taken: int = 0
    hidden: int = 0

    @classmethod
    def of(cls, start: Mapping[str, Any] | None, size: int) -> ListPosition:
        """Return the place that a page's cursor names; unknown keys are dropped."""
        known = {name: value for name, value in (start or {}).items() if name in cls.__slots__}
        # A cursor of an earlier version has counted nothing.
        return cls(**{"size": min(size, SIZES[0]), "taken": known.get("offset", 0), **known})

    def to_json(self) -> dict[str, Any]:
        """Return the place as a cursor."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def overlap(self) -> int:
        """Return 1 when the next request begins with the last row again, to see that nothing slipped by."""
        return 1 if self.last_id and self.sure and self.offset and self.size > 1 else 0

    def smaller(self) -> ListPosition | None:
        """Return the place with the next smaller size, None below 1."""
        size = next((each for each in SIZES if each < self.size), None)
        return replace(self, size=size, good=0) if size else None


@dataclass(frozen=True, slots=True)
class Piece:
    """One answer of a list: its rows, the position of the first, how many were asked for, the store's total.

    `count` is how many entries came, `odd` the places among them of those without an id.
    """

    rows: list[Row]
    offset: int
    limit: int
    total: int | None
    sent_at: datetime | None
    count: int = 0
    odd: Sequence[int] = ()

    @property
    def lacks(self) -> int:
        """Return how many entries are missing of what was asked for and is there by the store's own total."""
        there = self.limit if self.total is None else min(self.limit, self.total - self.offset)
        return max(there - self.count, 0)


def fetch(client: StoreClient, path: str, params: Mapping[str, Any], offset: int, limit: int) -> Piece:
    """Return one piece of a list, asked for by offset (woo:028) and in order of id (woo:023)."""
    query = {**params, "per_page": limit, "offset": offset or None, "orderby": "id", "order": "asc"}
    value, answer = client.get(path, query)
    entries = rows_of(value, answer)
    rows, odd = sifted(entries)
    return Piece(rows, offset, limit, total_of(answer), asked_at(answer), len(entries), odd)


def total_of(answer: Answer) -> int | None:
    """Return how many rows the store counts that fit what a list was asked for, None where it does not say."""
    text = answer.headers.get("x-wp-total", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def asked_at(answer: Answer) -> datetime | None:
    """Return the store's clock when the request was sent, rounded down.

    The Date header is written at the end: what changed while the page was being made must not count as seen.
    """
    now = server_now(answer)
    return now - timedelta(seconds=int(answer.seconds) + 1) if now else None
