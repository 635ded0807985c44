"""A validated request for a list of records, as its URL says it (A4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from integration import streams
from integration.parameters import Asked, in_address
from integration.queries.record_statuses import STATUSES

OPERATIONS = {"created": "Created", "updated": "Updated", "deleted": "Deleted", "skipped": "Skipped"}
SMALLEST, USUAL, LARGEST = 10, 100, 500
LONGEST = 254
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class RecordQuery:
    """Records of some connectors, newest first, from before the id `before`.

    `source` is the beginning of an order number or id, `since` and `until` are moments of the site's zone (`until` not
    included), `batch` is the second a batch was tried in.
    """

    connector_ids: tuple[int, ...]
    limit: int = USUAL
    kind: str = ""
    status: str = ""
    operation: str = ""
    source: str = ""
    email: str = ""
    person_key: str = ""
    run: int = 0
    since: datetime | None = None
    until: datetime | None = None
    batch: datetime | None = None
    before: int = 0
    every: bool = False
    raw: Mapping[str, str] | None = None

    @classmethod
    def parse(
        cls, connector_ids: Sequence[int], args: Mapping[str, str], zone: str = "UTC", *, every: bool = False
    ) -> tuple[RecordQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        read = Asked(args, zone)
        query = cls(
            tuple(connector_ids),
            limit=read.number("limit", SMALLEST, LARGEST) or USUAL,
            kind=read.choice("kind", streams.entities()),
            status=read.choice("status", STATUSES),
            operation=read.choice("operation", OPERATIONS),
            source=read.text("source").lstrip("#").strip(),
            email=read.text("email"),
            person_key=read.text("person_key"),
            run=read.number("run") or 0,
            since=read.moment("since"),
            until=read.moment("until"),
            batch=read.moment("batch"),
            before=read.number("before") or 0,
            every=every,
            raw=read.used,
        )
        if query.since and query.until and query.since >= query.until:
            read.notices.append("“From” is not before “to”, so nothing can be found.")
        return query, read.notices

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return what stands in the URL of this query, with changes; None and "" leave a name out."""
        return in_address(self.raw, changes)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        names = ("kind", "status", "operation", "source", "email", "person_key", "run", "since", "until", "batch")
        return any(getattr(self, name) for name in names)

    @property
    def by_rows(self) -> bool:
        """Return whether a filter finds its records by an index, beyond what the hourly counts know."""
        uncounted = self.status and not STATUSES[self.status].counted
        return bool(uncounted or self.source or self.email or self.person_key or self.run or self.batch)

    @property
    def batch_end(self) -> datetime | None:
        """Return the end of the batch's second."""
        return self.batch + _SECOND if self.batch else None

    def of(self, connector_id: int) -> RecordQuery:
        """Return the same query for one of the connectors."""
        return replace(self, connector_ids=(connector_id,))
