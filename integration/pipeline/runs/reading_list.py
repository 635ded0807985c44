"""Puts the orders of a large store in order of their buyers, so that a call brings all that is to come of some people.

By their ids the orders of a person are spread over the whole list: the more there are, the more people wait at a time
for the last of theirs. The list is kept as it was made, so that an order that goes to another person meanwhile is read
all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby, islice
from operator import itemgetter

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from integration.models.database import Database
from integration.models.reading_list import ReadingList
from integration.models.run import Run
from integration.store.by_id import Parts

#: With more orders to come than this they are read by their buyers.
ORDERS_MIN = 20_000
#: Key in the cursor of a run: how many calls its list has, and how many orders.
CURSOR = "by_buyer"
#: So many calls stand in one row.
CALLS_A_ROW = 100


def packed(orders: Iterable[tuple[str, int]], size: int) -> Iterator[list[int]]:
    """Yield the ids of each call, at most `size`; `orders` are person key and id, those of a person together.

    Who has no more orders than that is in one call; who has more is in calls that follow one another.
    """
    call: list[int] = []
    for _, theirs in groupby(orders, key=itemgetter(0)):
        ids = sorted(number for _, number in theirs)
        if call and len(call) + len(ids) > size:
            yield call
            call = []
        call += ids
        while len(call) > size:
            yield call[:size]
            call = call[size:]
    if call:
        yield call


@dataclass
class Keeper:
    """Keeps the list of a run row by row, for a list in memory may be large; it counts once `whole` says that it is.

    `held` returns the run in a session, or raises where it is another process' now.
    """

    db: Database
    held: Callable[[Session], Run]
    calls: int = 0
    orders: int = 0

    def keep(self, calls: Iterator[list[int]]) -> None:
        """Keep these calls in place of any that are kept already."""
        with self.db.write() as session:
            forget(session, self.held(session).id)
        while row := list(islice(calls, CALLS_A_ROW)):
            with self.db.write() as session:
                session.add(ReadingList(run_id=self.held(session).id, place=self.calls, calls=row))
            self.calls += len(row)
            self.orders += sum(map(len, row))

    def whole(self, run: Run) -> None:
        """Let the run read by the list."""
        run.cursor = {**run.cursor, CURSOR: {"calls": self.calls, "orders": self.orders}}


def forget(session: Session, run_id: int) -> None:
    """Drop the list of a run that has read all of it."""
    session.execute(delete(ReadingList).where(ReadingList.run_id == run_id))


def kept(db: Database, run: Run) -> Parts | None:
    """Return the list of a run, None where it reads its orders in order of their ids."""
    known = run.cursor.get(CURSOR)
    if not known:
        return None
    with db.read() as session:
        query = select(func.count()).select_from(ReadingList).where(ReadingList.run_id == run.id)
        if session.scalar(query) != -(-known["calls"] // CALLS_A_ROW):
            return None
    # Calls come one after the other: two rows are at hand where one ends.
    row = lru_cache(maxsize=2)(partial(_row, db, run.id))
    return Parts(known["calls"], known["orders"], lambda place: row(place // CALLS_A_ROW)[place % CALLS_A_ROW])


def _row(db: Database, run_id: int, number: int) -> list[list[int]]:
    with db.read() as session:
        return session.get_one(ReadingList, (run_id, number * CALLS_A_ROW)).calls
