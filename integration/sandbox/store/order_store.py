"""Orders kept compactly, with the two orders lists are read in: by id and by time of change."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterator
from typing import Any


class Row:
    """One order: what lists filter and sort by, and its document or the number it is made from when asked."""

    __slots__ = (
        "completed",
        "created",
        "customer_id",
        "document",
        "email",
        "id",
        "modified",
        "paid",
        "recipe",
        "status",
    )

    def __init__(self, id: int, status: str, created: int, modified: int, **more: Any) -> None:
        self.id = id
        self.status = status
        self.created = created
        self.modified = modified
        self.paid: int | None = more.get("paid")
        self.completed: int | None = more.get("completed")
        self.customer_id: int = more.get("customer_id", 0)
        self.email: str = more.get("email", "")
        self.recipe: int | None = more.get("recipe")
        self.document: dict[str, Any] | None = more.get("document")

    def dump(self) -> list[Any]:
        """Return the row as a JSON list in the order of __slots__."""
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def load(cls, saved: list[Any]) -> Row:
        """Make a row from what dump() gave."""
        row = cls.__new__(cls)
        for name, value in zip(cls.__slots__, saved, strict=True):
            setattr(row, name, value)
        return row


class OrderStore:
    """All orders; ids and (modified, id) stay sorted, and asked-for selections are kept until something changes."""

    SELECTIONS_MAX = 32

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self._ids: list[int] = []
        self._by_change: list[tuple[int, int]] = []
        self._selections: dict[Any, list[Row]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (self.rows[number] for number in self._ids)

    def get(self, number: int) -> Row | None:
        """Return the order of that id."""
        return self.rows.get(number)

    def add(self, row: Row) -> Row:
        """Put a new order in."""
        self.rows[row.id] = row
        insort(self._ids, row.id)
        insort(self._by_change, (row.modified, row.id))
        self._selections.clear()
        return row

    def add_many(self, rows: list[Row]) -> None:
        """Put many orders in at the cost of one sort."""
        self.rows.update((row.id, row) for row in rows)
        self._ids = sorted(self.rows)
        self._by_change = sorted((row.modified, row.id) for row in self.rows.values())
        self._selections.clear()

    def touch(self, row: Row, at: int) -> None:
        """Move an order's time of change; called after every change so that lists are read anew."""
        del self._by_change[bisect_left(self._by_change, (row.modified, row.id))]
        row.modified = at
        insort(self._by_change, (at, row.id))
        self._selections.clear()

    def remove(self, row: Row) -> None:
        """Take an order out for good."""
        del self.rows[row.id]
        del self._ids[bisect_left(self._ids, row.id)]
        del self._by_change[bisect_left(self._by_change, (row.modified, row.id))]
        self._selections.clear()

    def changed_between(
        self, after: int | None, before: int | None, among: Collection[int] | None = None
    ) -> Iterator[Row]:
        """Return orders changed strictly after and strictly before (woo:018), by time of change; or those of `among`.

        Few that are named are not looked for among all: a database takes them by their key.
        """
        if among is not None:
            named = [row for number in among if (row := self.rows.get(number))]
            named = [row for row in named if after is None or row.modified > after]
            named = [row for row in named if before is None or row.modified < before]
            return iter(sorted(named, key=lambda row: (row.modified, row.id)))
        low = 0 if after is None else bisect_right(self._by_change, (after, 1 << 62))
        high = len(self._by_change) if before is None else bisect_left(self._by_change, (before, -1))
        return (self.rows[number] for _, number in self._by_change[low:high])

    def selection(self, key: Any, make: Callable[[], list[Row]]) -> list[Row]:
        """Return what make() gives, remembered under the key until an order changes."""
        found = self._selections.get(key)
        if found is None:
            if len(self._selections) >= self.SELECTIONS_MAX:
                self._selections.pop(next(iter(self._selections)))
            found = self._selections[key] = make()
        return found
