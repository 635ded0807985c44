"""A list as a store serves it, without a socket: rows that leave, rows that kill the page, rows nobody may see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from integration.errors import ServerFault
from integration.http.transport import Answer
from integration.store.client import Reply


class Shelf:
    """Answers `get` as StoreClient does; `calls` holds (offset, per_page, number of the call).

    A page with a row of `poison` on it fails, as does one of more than `most` rows; rows of `unseen` are counted but
    left out. With `named` the id of a poisonous row can be had alone; `total` is claimed in place
    of the right one. `before` is run before each answer with the number of the call, from one thread at a time.
    """

    def __init__(self, ids: list[int]) -> None:
        self.ids = sorted(ids)
        self.poison: set[int] = set()
        self.unseen: set[int] = set()
        self.most = 100
        self.counts = True
        self.named = False
        self.total = ""
        self.dead = False
        self.heed: Callable[[], None] = lambda: None
        self.before: Callable[[int], None] = lambda number: None
        self.calls: list[tuple[int, int]] = []
        self.probes = 0
        self._lock = threading.Lock()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Return one page of {"id": N}, or the namespace for the path ""."""
        with self._lock:
            if not path:
                self.probes += 1
                self._fail_if(self.dead)
                return {}, self._answer()
            return self._page(params or {})

    def _page(self, params: Mapping[str, Any]) -> Reply:
        assert (params["orderby"], params["order"]) == ("id", "asc")
        offset, limit = int(params.get("offset") or 0), int(params["per_page"])
        self.calls.append((offset, limit))
        self.before(len(self.calls))
        cut = self.ids[offset : offset + limit]
        harmless = self.named and params.get("_fields") == "id"
        self._fail_if(self.dead or limit > self.most or (bool(self.poison & set(cut)) and not harmless))
        return [{"id": each} for each in cut if each not in self.unseen], self._answer()

    def _answer(self) -> Answer:
        headers = {"date": "Fri, 20 Nov 2026 19:48:29 GMT"}
        if self.counts:
            headers["x-wp-total"] = self.total or str(len(self.ids))
        return Answer(200, headers, b"", 0.0, "")

    def _fail_if(self, broken: bool) -> None:
        if broken:
            raise ServerFault("store", "php_fatal", "The store broke off with a PHP error.", status=500)
