"""Puts the orders of a store in order of their buyers, so that a call brings all that is to come of some people.

By their ids the orders of a person are spread over the whole list. Most people wait for its last pages then, and are
written when nothing is left to read; the more orders there are, the more people wait at a time. The list is kept as it
was made, so that an order that goes to another person meanwhile is read all the same. Where the store does not give by
their ids what it lists, the run goes on in order of the ids.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
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

#: With more orders to come than this they are read by their buyers; fewer are read within seconds anyway.
ORDERS_MIN = 1_000
#: Key in the cursor of a run: how many calls its list has, and how many orders.
CURSOR = "by_buyer"
#: Key in that: how many calls were made when the store turned out not to give what it lists.
GIVEN_UP = "given_up"
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
        full = (len(call) - 1) // size * size
        yield from (call[begin : begin + size] for begin in range(0, full, size))
        call = call[full:]
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
            mine = ReadingList.run_id == self.held(session).id
            session.execute(delete(ReadingList).where(mine, ReadingList.place >= 0))
        while row := list(islice(calls, CALLS_A_ROW)):
            with self.db.write() as session:
                session.add(ReadingList(run_id=self.held(session).id, place=self.calls, calls=row))
            self.calls += len(row)
            self.orders += sum(map(len, row))

    def whole(self, run: Run) -> None:
        """Let the run read by the list."""
        run.cursor = {**run.cursor, CURSOR: {"calls": self.calls, "orders": self.orders}}


def leave_out(session: Session, run_id: int, page: int, ids: list[int]) -> None:
    """Note orders of a page of the store's list that the ledger does not keep: they are read all the same."""
    if ids:
        session.merge(ReadingList(run_id=run_id, place=-page, calls=[ids]))


def left_out(session: Session, run_id: int) -> list[int]:
    """Return the orders that were left out."""
    query = select(ReadingList.calls).where(ReadingList.run_id == run_id, ReadingList.place < 0)
    return [number for calls in session.scalars(query) for ids in calls for number in ids]


def forget(session: Session, run_id: int) -> None:
    """Drop the list of a run."""
    session.execute(delete(ReadingList).where(ReadingList.run_id == run_id))


def is_in_use(run: Run) -> bool:
    """Return whether the run reads its orders in order of their buyers."""
    return GIVEN_UP not in run.cursor.get(CURSOR, {GIVEN_UP: 0})


def was_begun(run: Run) -> bool:
    """Return whether the run has read orders by a list that it gave up."""
    return bool(run.cursor.get(CURSOR, {}).get(GIVEN_UP))


def is_done(run: Run) -> bool:
    """Return whether the run has read all of its list."""
    return is_in_use(run) and (run.cursor.get("orders") or {}).get("part", 0) >= run.cursor[CURSOR]["calls"]


def give_up(run: Run) -> None:
    """Let the run read its orders in order of their ids, but for those that it has read."""
    known, read = run.cursor[CURSOR], (run.cursor.get("orders") or {}).get("part", 0)
    if read:
        # The list by ids is counted in by its own first page.
        run.expected = max((run.expected or 0) - known["orders"], 0)
    run.cursor = {**run.cursor, CURSOR: {**known, GIVEN_UP: read}, "orders": None}


def read_before(db: Database, run: Run) -> Sequence[int]:
    """Return the orders, sorted, that a run had read when it gave its list up."""
    calls = run.cursor.get(CURSOR, {}).get(GIVEN_UP, 0)
    query = select(ReadingList.place, ReadingList.calls)
    query = query.where(ReadingList.run_id == run.id, ReadingList.place >= 0, ReadingList.place < calls)
    found = array("q")
    with db.read() as session:
        for place, row in session.execute(query):
            for call in row[: calls - place]:
                found.extend(call)
    return array("q", sorted(found))


def kept(db: Database, run: Run) -> Parts | None:
    """Return the list of a run, None where it has none, or not all: an older version that is put back drops it."""
    known = run.cursor.get(CURSOR)
    if known is None:
        return None
    query = select(func.count()).select_from(ReadingList)
    with db.read() as session:
        rows = session.scalar(query.where(ReadingList.run_id == run.id, ReadingList.place >= 0))
    if rows != -(-known["calls"] // CALLS_A_ROW):
        return None
    # Calls come one after the other: two rows are at hand where one ends.
    row = lru_cache(maxsize=2)(partial(_row, db, run.id))
    return Parts(known["calls"], known["orders"], lambda place: row(place // CALLS_A_ROW)[place % CALLS_A_ROW])


def _row(db: Database, run_id: int, number: int) -> list[list[int]]:
    with db.read() as session:
        return session.get_one(ReadingList, (run_id, number * CALLS_A_ROW)).calls
