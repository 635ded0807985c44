"""A validated request for a list of records, as its URL says it (A4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from integration import streams
from integration.queries.record_statuses import STATUSES
from integration.url_filters import EntryId, Moment, OneOf, SourceText, Text, UrlFilter, WholeNumber

OPERATIONS = {"created": "Created", "updated": "Updated", "deleted": "Deleted", "skipped": "Skipped"}
ROWS_MIN, ROWS_DEFAULT, ROWS_MAX = 10, 100, 500
_SECOND = timedelta(seconds=1)


class RecordQuery(UrlFilter):
    """Records of some connectors, newest first, from before the id `before`.

    `source` is the beginning of an order number or id, `since` and `until` are moments of the site's zone (`until` not
    included), `batch` is the second a batch was tried in.
    """

    connector_ids: tuple[int, ...]
    limit: Annotated[int, WholeNumber(ROWS_MIN, ROWS_MAX)] = ROWS_DEFAULT
    kind: Annotated[str, OneOf(streams.entities())] = ""
    status: Annotated[str, OneOf(STATUSES)] = ""
    operation: Annotated[str, OneOf(OPERATIONS)] = ""
    source: SourceText = ""
    email: Text = ""
    person_key: Text = ""
    run: EntryId = 0
    since: Moment = None
    until: Moment = None
    batch: Moment = None
    before: EntryId = 0
    every: bool = False

    @classmethod
    def parse(
        cls, connector_ids: Sequence[int], args: Mapping[str, Any], zone: str = "UTC", *, every: bool = False
    ) -> tuple[RecordQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, connector_ids=tuple(connector_ids), every=every)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("limit", "before")

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
        return self.model_copy(update={"connector_ids": (connector_id,)})
