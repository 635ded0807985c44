"""A validated request for a list of records, as its URL says it (A4)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integration.modules import Modules
from integration.pipeline.statuses import STATUSES

KINDS = {"contact": "Contact", "order": "Order"}
OPERATIONS = {"created": "Created", "updated": "Updated", "deleted": "Deleted", "skipped": "Skipped"}
SMALLEST, USUAL, LARGEST = 10, 100, 500
LONGEST = 254
_SECOND = timedelta(seconds=1)


def kinds_of(modules: Modules) -> dict[str, str]:
    """Return the entity types that a connector syncs: the list of the filter follows the connector."""
    on = {"contact": modules.contacts.enabled, "order": modules.orders.enabled}
    return {value: label for value, label in KINDS.items() if on[value]} or dict(KINDS)


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
    subject: str = ""
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
        read = Arguments(args, zone)
        query = cls(
            tuple(connector_ids),
            limit=read.number("limit", USUAL, SMALLEST, LARGEST),
            kind=read.one_of("kind", KINDS),
            status=read.one_of("status", STATUSES),
            operation=read.one_of("operation", OPERATIONS),
            source=read.text("source").lstrip("#").strip(),
            email=read.text("email"),
            subject=read.text("subject"),
            run=read.number("run", 0, 0, 2**62),
            since=read.moment("since"),
            until=read.moment("until"),
            batch=read.moment("batch"),
            before=read.number("before", 0, 0, 2**62),
            every=every,
            raw=read.used,
        )
        if query.since and query.until and query.since >= query.until:
            read.notices.append("“From” is not before “to”, so nothing can be found.")
        return query, read.notices

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return what stands in the URL of this query, with changes; None and "" leave a name out."""
        values: dict[str, Any] = {**(self.raw or {}), **changes}
        return {name: value for name, value in values.items() if value not in (None, "", 0)}

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        names = ("kind", "status", "operation", "source", "email", "subject", "run", "since", "until", "batch")
        return any(getattr(self, name) for name in names)

    @property
    def by_rows(self) -> bool:
        """Return whether a filter finds its records by an index, beyond what the hourly counts know."""
        uncounted = self.status and not STATUSES[self.status].counted
        return bool(uncounted or self.source or self.email or self.subject or self.run or self.batch)

    @property
    def batch_end(self) -> datetime | None:
        """Return the end of the batch's second."""
        return self.batch + _SECOND if self.batch else None

    def of(self, connector_id: int) -> RecordQuery:
        """Return the same query for one of the connectors."""
        return replace(self, connector_ids=(connector_id,))


class Arguments:
    """Reads the values of a URL; what makes no sense is left out with a notice, what was used is kept in `used`."""

    def __init__(self, args: Mapping[str, str], zone: str) -> None:
        self._args = args
        self._zone = ZoneInfo(zone)
        self.used: dict[str, str] = {}
        self.notices: list[str] = []

    def text(self, name: str) -> str:
        """Return a text, "" when it is not given."""
        value = (self._args.get(name) or "").replace("\x00", "").strip()[:LONGEST]
        value = value.encode("utf-8", "replace").decode()
        if value:
            self.used[name] = value
        return value

    def one_of(self, name: str, known: Mapping[str, Any]) -> str:
        """Return one of the known values, "" for anything else."""
        value = self.text(name)
        if value and value not in known:
            self._refuse(name, f"There is no {name} “{value}”; that filter was left out.")
            return ""
        return value

    def number(self, name: str, usual: int, least: int, most: int) -> int:
        """Return a whole number within its bounds."""
        value = self.text(name)
        if not value:
            return usual
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            self._refuse(name, f"“{value}” is no number for “{name}”; it was left out.")
            return usual
        return max(least, min(int(value), most))

    def moment(self, name: str) -> datetime | None:
        """Return a moment; one without an offset is in the site's zone."""
        value = self.text(name)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=self._zone)
            fine = 2000 <= at.year < 2999
        except ValueError:
            fine = False
        if not fine:
            self._refuse(name, f"“{value}” is no time; write it like 2026-11-20T10:30. That filter was left out.")
            return None
        return at

    def _refuse(self, name: str, notice: str) -> None:
        self.used.pop(name, None)
        self.notices.append(notice)
