"""Reads the lists of a whole sync one after the other, without a pause of the store between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from integration.pipeline.runs import reading_list
from integration.pipeline.runs.held_run import GATHERING
from integration.pipeline.runs.recurring_intake import RecurringIntake
from integration.store import reading
from integration.store.prefetch import begun
from integration.store.reading import AT_ONCE

#: Lists of the same records: what the second says must not be older than the first, so that has to be read before.
_OF_ORDERS = ("ledger", "orders")


@dataclass
class ListIntake(RecurringIntake):
    """A run that reads whole lists; the next one is asked for when all of the one before is, by the same threads."""

    def __post_init__(self) -> None:
        """Begin without a list."""
        super().__post_init__()
        self._after: Mapping[str, str] = {}
        self._begun: dict[str, Iterator[reading.Page]] = {}
        self._pool: ThreadPoolExecutor | None = None

    @property
    def _lists(self) -> Mapping[str, Callable[[], Iterator[reading.Page]]]:
        """Return how the list of each phase is opened that has one."""
        return {}

    def _follow(self, names: Sequence[str]) -> None:
        """Note which list comes behind which; what a run names one by one is no list."""
        whole = [] if self.options.get("ids") else [name for name in names if name in GATHERING]
        self._after = dict(zip(whole, whole[1:], strict=False))
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="store-pages")

    def _close_lists(self) -> None:
        """Forget what was begun and is not wanted any more."""
        self._begun.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _pages(self, name: str) -> Iterator[reading.Page]:
        """Yield the pages of a phase's list."""
        pages = self._begun.pop(name, None) or self._lists[name]()
        following = self._after.get(name)
        same = (name, following) == _OF_ORDERS
        ahead = 0 if same else AT_ONCE
        for page in pages:
            if same and (page.total or 0) > reading_list.ORDERS_MIN:
                # They may be read in another order, which the whole list tells.
                following = None
            if following is not None and page.pages is not None and page.pages - page.number <= ahead:
                self._begun[following] = begun(self._lists[following](), self._heed)
                following = None
            yield page
